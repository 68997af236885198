/** Opaque tokens, asked about at an issuer that is a real server here. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Issuer, Issuers, Organisation } from '@postern/schemas';
import { handClock } from '../trial/clock.ts';
import { clientCertificates } from './client-certificates.ts';
import { proofChecker } from './dpop.ts';
import { identifier } from './identify.ts';
import type { Identity } from './identity.ts';
import { opaqueIdentifier } from './introspection.ts';
import { jwtIdentifier } from './jwt.ts';

const issuerUrl = 'https://idp.example.com';
type Question = { readonly authorization: string | undefined; readonly form: URLSearchParams };

const setUp = async (introspection: object = {}, issuer: object = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-introspection-'));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 's3cr+t:/ü\n');
  const questions: Question[] = [];
  const clock = handClock();
  const seconds = (): number => Math.floor(clock.now() / 1_000);
  let answer: (token: string, res: ServerResponse) => void = (token, res) =>
    res.end(
      JSON.stringify({
        active: token.startsWith('good'),
        sub: token.slice(5),
        aud: 'api',
        iat: seconds(),
        exp: seconds() + 600,
      }),
    );
  const server = createServer(async (req: IncomingMessage, res: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    questions.push({ authorization: req.headers.authorization, form });
    answer(form.get('token') ?? '', res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
  const config = Issuer.parse({
    issuer: issuerUrl,
    audience: ['api'],
    introspection: { endpoint, clientId: 'gate way', clientSecretFile: secretFile, timeoutMs: 300, ...introspection },
    ...issuer,
  });
  const opaque = opaqueIdentifier(clock, [config]);
  const organisation = new Organisation();
  const identify = identifier({
    organisation,
    clock,
    jwt: jwtIdentifier(clock, [config]),
    opaque,
    proofs: proofChecker(clock),
    certificates: clientCertificates(clock),
  });
  return {
    clock,
    seconds,
    organisation,
    questions,
    config,
    opaque,
    secretFile,
    of: async (token: string): Promise<Identity> =>
      await identify({
        method: 'GET',
        scheme: 'https',
        host: 'gate.test',
        path: '/',
        authorization: `Bearer ${token}`,
      }),
    atOnce: (token: string) => opaque.identify(token),
    answerWith: (next: typeof answer) => {
      answer = next;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
};
const json = (value: object) => (_token: string, res: ServerResponse) => res.end(JSON.stringify(value));

test('the issuer is asked once, in its own way, and its answer names the caller', async () => {
  await using at = await setUp();
  const identity = await at.of('good-ann');
  assert.ok(identity.kind === 'caller');
  assert.equal(identity.principal, 'user:ann');
  const [question] = at.questions;
  // RFC 6749 §2.3.1: form-encoded, then joined.
  const basic = Buffer.from(String(question?.authorization).slice('Basic '.length), 'base64').toString();
  assert.equal(basic, 'gate+way:s3cr%2Bt%3A%2F%C3%BC');
  assert.equal(question?.form.get('token'), 'good-ann');
  assert.equal(question?.form.has('client_secret'), false);
  assert.ok(!(at.atOnce('good-ann') instanceof Promise), 'a token that is known needs no promise');
  assert.equal((await at.of('good-ann')).kind, 'caller');
  assert.equal(at.questions.length, 1);
});

test('a secret in the form is sent there and nowhere else, and a new secret counts at once', async () => {
  await using at = await setUp({ clientAuth: 'post' });
  await at.of('good-ann');
  writeFileSync(at.secretFile, 'next');
  await at.of('good-bob');
  assert.deepEqual(
    at.questions.map(({ authorization, form }) => [authorization, form.get('client_secret')]),
    [
      [undefined, 's3cr+t:/ü'],
      [undefined, 'next'],
    ],
  );
});

test('an answer counts until the token ends, or for the stated time, whichever is first', async () => {
  await using at = await setUp({ cacheSeconds: 60 });
  await at.of('good-ann');
  at.clock.advance(59_999);
  await at.of('good-ann');
  assert.equal(at.questions.length, 1);
  at.clock.advance(1);
  await at.of('good-ann');
  assert.equal(at.questions.length, 2);
  at.answerWith(json({ active: true, sub: 'bob', aud: 'api', exp: at.seconds() + 10 }));
  assert.equal((await at.of('good-bob')).kind, 'caller');
  at.clock.advance(41_000);
  at.answerWith(json({ active: false }));
  assert.equal((await at.of('good-bob')).kind, 'bad', 'the token ended before the stated time was over');
});

test('"not active" is remembered briefly, so that it is no way to make the gate hammer its issuer', async () => {
  await using at = await setUp({ refusedCacheSeconds: 5 });
  for (let count = 0; count < 10; count++) assert.equal((await at.of('bad-token')).kind, 'bad');
  assert.equal(at.questions.length, 1);
  at.clock.advance(5_000);
  await at.of('bad-token');
  assert.equal(at.questions.length, 2);
});

test('who bring the same token at the same time wait for one question', async () => {
  await using at = await setUp();
  const all = await Promise.all(Array.from({ length: 50 }, () => at.of('good-ann')));
  assert.ok(all.every(({ kind }) => kind === 'caller'));
  assert.equal(at.questions.length, 1);
});

test('an issuer that cannot be asked makes the request undecidable, whatever way it fails, and nothing of it is kept', async () => {
  await using at = await setUp();
  const failures: Record<string, (token: string, res: ServerResponse) => void> = {
    silence: () => {},
    'a reset': (_token, res) => void res.destroy(),
    'an error': (_token, res) => void res.writeHead(500).end('{"active":true,"sub":"ann","aud":"api"}'),
    'refused credentials': (_token, res) => void res.writeHead(401).end('{"active":true,"sub":"ann","aud":"api"}'),
    'a redirect': (_token, res) => void res.writeHead(307, { location: 'https://evil.example.com/' }).end(),
    'no JSON': (_token, res) => void res.end('active'),
    'a list': (_token, res) => void res.end('[{"active":true}]'),
    'a member twice': (_token, res) => void res.end('{"active":false,"active":true,"sub":"ann","aud":"api"}'),
    'a flood': (_token, res) => void res.end(JSON.stringify({ active: true, x: 'x'.repeat(200_000) })),
  };
  for (const [name, failure] of Object.entries(failures)) {
    at.answerWith(failure);
    assert.equal((await at.of('good-ann')).kind, 'undecidable', name);
  }
  assert.equal(at.questions.length, Object.keys(failures).length);
  rmSync(at.secretFile);
  assert.equal((await at.of('good-ann')).kind, 'undecidable', 'no secret');
  assert.equal(at.questions.length, Object.keys(failures).length);
});

test('an answer that is not about a token for this gate lets nobody through', async () => {
  await using at = await setUp();
  const good = { active: true, sub: 'ann', aud: ['other', 'api'], iss: issuerUrl, exp: at.seconds() + 60 };
  at.answerWith(json(good));
  assert.equal((await at.of('good-0')).kind, 'caller');
  const rows: Record<string, object> = {
    'active as text': { ...good, active: 'true' },
    'active as a number': { ...good, active: 1 },
    'without active': { ...good, active: undefined },
    'of another issuer': { ...good, iss: 'https://evil.example.com' },
    'for another audience': { ...good, aud: 'other' },
    'for no audience': { ...good, aud: undefined },
    'run out': { ...good, exp: at.seconds() - 31 },
    'not yet': { ...good, nbf: at.seconds() + 31 },
    'without a subject': { ...good, sub: undefined },
    'with a subject that is no text': { ...good, sub: 7 },
    'with an end that is a text': { ...good, exp: '1' },
    'bound to what nobody can check': { ...good, cnf: { jwe: 'x' } },
  };
  for (const [name, row] of Object.entries(rows)) {
    at.answerWith(json(row));
    assert.equal((await at.of(`good-${name.replaceAll(' ', '-')}`)).kind, 'bad', name);
  }
});

test('an issuer that names no audience passes only where the configuration says so', async () => {
  await using at = await setUp({ audienceRequired: false });
  at.answerWith(json({ active: true, sub: 'ann' }));
  assert.equal((await at.of('good-ann')).kind, 'caller');
  at.answerWith(json({ active: true, sub: 'ann', aud: 'other' }));
  assert.equal((await at.of('good-bob')).kind, 'bad');
});

test('a session that was ended ends opaque tokens too, also those that are kept', async () => {
  await using at = await setUp();
  assert.equal((await at.of('good-ann')).kind, 'caller');
  at.organisation.sessionsRevokedBefore.set('user:ann' as never, at.clock.now() + 1);
  assert.equal((await at.of('good-ann')).kind, 'session-revoked');
  assert.equal(at.questions.length, 1);
});

test('a new configuration forgets every answer, and an answer on its way under the old one is not kept', async () => {
  await using at = await setUp();
  await at.of('good-ann');
  at.opaque.configure([{ ...at.config, audience: ['other'] }]);
  assert.equal((await at.of('good-ann')).kind, 'bad');
  at.opaque.configure([]);
  // Nobody is asked any more, so it is read as a JWT, which it is not.
  assert.equal((await at.of('good-ann')).kind, 'bad');
  assert.equal(at.questions.length, 2);
});

test('a JWT is never shown to the issuer, nor an opaque token to one whose prefix it does not have', async () => {
  await using at = await setUp({ prefix: 'good-' });
  assert.equal((await at.of('eyJhbGciOiJub25lIn0.e30.')).kind, 'bad');
  assert.equal((await at.of('other-ann')).kind, 'bad');
  assert.equal(at.questions.length, 0);
  const asked = at.config.introspection;
  const two = (prefix?: string) =>
    Issuers.safeParse([
      { issuer: issuerUrl, audience: ['api'], introspection: { ...asked, prefix: undefined } },
      { issuer: `${issuerUrl}/b`, audience: ['api'], introspection: { ...asked, prefix } },
    ]).success;
  assert.deepEqual([two(), two('b-')], [false, true]);
});

test('what is kept is bounded', async () => {
  await using at = await setUp({ cachedMax: 3 });
  for (const name of ['a', 'b', 'c', 'd']) await at.of(`good-${name}`);
  await at.of('good-d');
  assert.equal(at.questions.length, 4);
  await at.of('good-a');
  assert.equal(at.questions.length, 5, 'the oldest was forgotten');
});
