/** Tokens of CI systems and clusters, in the shapes in which these sign them, under the configuration that the guide shows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '@postern/runtime';
import { Issuer, PrincipalId } from '@postern/schemas';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { parse } from 'yaml';
import type { Identity } from './identity.ts';
import { jwtIdentifier } from './jwt.ts';

const guide = readFileSync(new URL('../../../../docs/how-to/workloads.md', import.meta.url), 'utf8');
type Written = { readonly issuer: string; readonly audience: readonly string[] };
const { issuers: written } = parse(/```yaml\n(issuers:\n.*?)```/s.exec(guide)?.[1] ?? '') as { issuers: Written[] };
const audience = 'https://gate.example.com';

/** Keys by discovery, as the real ones serve them. */
const issuerAt = async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { modulusLength: 2048 });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  let url = '';
  const server = createServer((request, response) => {
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': {
        issuer: url,
        jwks_uri: `${url}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      },
      '/openid/v1/jwks': { keys: [{ ...jwk, kid, use: 'sig', alg: 'RS256' }] },
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    sign: (claims: JWTPayload, header: object = { typ: 'JWT' }): Promise<string> => {
      const now = Math.floor(Date.now() / 1_000);
      const all = { iss: url, aud: audience, jti: 'j', iat: now, nbf: now - 5, exp: now + 300, ...claims };
      return new SignJWT(JSON.parse(JSON.stringify(all)))
        .setProtectedHeader({ alg: 'RS256', kid, ...header })
        .sign(privateKey);
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};
type Local = Awaited<ReturnType<typeof issuerAt>>;

const github = {
  sub: 'repo:acme/payroll:environment:production',
  environment: 'production',
  ref: 'refs/heads/main',
  sha: 'f00d',
  repository: 'acme/payroll',
  repository_owner: 'acme',
  actor_id: '12',
  repository_visibility: 'private',
  repository_id: '74',
  repository_owner_id: '65',
  run_id: '1',
  run_number: '10',
  run_attempt: '2',
  runner_environment: 'github-hosted',
  actor: 'octocat',
  workflow: 'nightly',
  head_ref: '',
  base_ref: '',
  event_name: 'push',
  ref_type: 'branch',
  job_workflow_ref: 'acme/payroll/.github/workflows/nightly.yml@refs/heads/main',
};
const gitlab = {
  sub: 'project_path:acme/payroll:ref_type:branch:ref:main',
  namespace_id: '72',
  namespace_path: 'acme',
  project_id: '20',
  project_path: 'acme/payroll',
  user_id: '1',
  user_login: 'sample-user',
  user_email: 'sample-user@example.com',
  pipeline_id: '574',
  pipeline_source: 'web',
  job_id: '302',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  runner_id: 1,
  runner_environment: 'self-hosted',
  sha: 'f00d',
  project_visibility: 'private',
};
const kubernetes = {
  sub: 'system:serviceaccount:payments:settler',
  aud: [audience],
  'kubernetes.io': {
    namespace: 'payments',
    node: { name: 'node-1', uid: 'n' },
    pod: { name: 'settler-5d', uid: 'p' },
    serviceaccount: { name: 'settler', uid: 's' },
  },
};

describe('workloads', () => {
  let issuers: Local[];
  let identify: (token: string) => Promise<Identity>;
  before(async () => {
    issuers = await Promise.all(written.map(() => issuerAt()));
    const configured = written.map((each, at) => Issuer.parse({ ...each, issuer: issuers[at]?.url }));
    const jwt = jwtIdentifier(systemClock, configured);
    identify = async (token) => jwt.identify(token);
  });
  after(() => Promise.all(issuers.map((each) => each.close())));
  const at = (index: number): Local => issuers[index] as Local;
  const named = async (index: number, claims: JWTPayload, header?: object): Promise<string> => {
    const identity = await identify(await at(index).sign(claims, header));
    return identity.kind === 'caller'
      ? identity.principal
      : `${identity.kind}: ${'why' in identity ? identity.why : ''}`;
  };
  const isBad = async (index: number, claims: JWTPayload, why: RegExp): Promise<void> =>
    assert.match(await named(index, claims), new RegExp(`^bad: .*${why.source}`));

  test('a token of each is the workload that the guide says', async () => {
    const names = [
      await named(0, github),
      await named(1, gitlab),
      // Kubernetes leaves typ out.
      await named(2, kubernetes, {}),
    ];
    for (const name of names) {
      PrincipalId.parse(name);
      assert.ok(guide.includes(`\`${name.replaceAll('|', '\\|')}\``), name);
    }
  });

  test('GitHub: a fork, a name that was taken over, another event, branch, or no environment is nobody', async () => {
    const fork = {
      repository: 'mallory/payroll',
      repository_id: '99',
      repository_owner: 'mallory',
      repository_owner_id: '66',
    };
    await isBad(0, { ...github, ...fork, sub: 'repo:mallory/payroll:environment:production' }, /repository_owner_id/);
    await isBad(0, { ...github, repository_owner_id: '6500', repository_id: '75' }, /repository_owner_id/);
    await isBad(0, { ...github, event_name: 'pull_request_target' }, /event_name/);
    await isBad(0, { ...github, event_name: 'pull_request', ref: 'refs/pull/7/merge' }, /event_name/);
    await isBad(0, { ...github, ref: 'refs/heads/mainly' }, /ref/);
    await isBad(0, { ...github, ref: 'refs/heads/Main' }, /ref/);
    await isBad(0, { ...github, ref: 'refs/heads/refs/tags/v1' }, /ref/);
    const { environment: _, ...bare } = github;
    await isBad(0, { ...bare, sub: 'repo:acme/payroll:ref:refs/heads/main' }, /environment says nothing/);
    assert.equal(await named(0, { ...github, ref: 'refs/tags/v1.2' }), 'workload:github|74|production');
    // Another environment, in whatever letters, is another workload: what is granted to the one is not the other's.
    assert.equal(await named(0, { ...github, environment: 'Production' }), 'workload:github|74|Production');
  });

  test('GitLab: an unprotected branch, another group, and a branch that is named like another project are kept apart', async () => {
    await isBad(1, { ...gitlab, ref_protected: 'false', ref_path: 'refs/heads/x' }, /ref_protected/);
    await isBad(1, { ...gitlab, ref_protected: true }, /ref_protected/);
    await isBad(1, { ...gitlab, namespace_id: '73' }, /namespace_id/);
    const odd = await named(1, { ...gitlab, ref_path: 'refs/heads/a|b:c#d' });
    assert.equal(odd, 'workload:gitlab|acme/payroll|refs/heads/a=257Cb=253Ac=23d');
    PrincipalId.parse(odd);
    const one = await named(1, { ...gitlab, project_path: 'acme/a|refs', ref_path: 'x' });
    const other = await named(1, { ...gitlab, project_path: 'acme/a', ref_path: 'refs|x' });
    assert.notEqual(one, other);
  });

  test('Kubernetes: another namespace, another audience, and a token without an end are nobody', async () => {
    const elsewhere = { ...kubernetes['kubernetes.io'], namespace: 'default' };
    await isBad(2, { ...kubernetes, 'kubernetes.io': elsewhere }, /kubernetes.io.namespace/);
    await isBad(2, { ...kubernetes, aud: ['https://kubernetes.default.svc.cluster.local'] }, /aud/);
    await isBad(2, { ...kubernetes, exp: undefined } as never, /exp/);
    await isBad(2, { ...kubernetes, iss: 'kubernetes/serviceaccount' }, /not trusted/);
  });

  test('one that signs for another is nobody: a token counts with its own issuer’s key alone', async () => {
    await isBad(0, { ...github, iss: at(1).url }, /.*/);
    await isBad(0, { ...github, aud: 'https://github.com/acme' }, /aud/);
  });
});
