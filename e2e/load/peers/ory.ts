/** Oathkeeper in front of Keto: a JWT is verified, Keto is asked over HTTP whether its subject may call the path, and the request goes on. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freeAddresses } from '../../world/processes.ts';
import { type Program, startProgramAt } from './programs.ts';

export type OryHop = {
  readonly folder: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly issuer: string;
  readonly audience: string;
  readonly jwksFile: string;
  /** May call GET /employees/42 by a role; nobody may call anything else. */
  readonly subject: string;
};

/** Pushes what it starts to `programs`, one after the other. */
export const startOry = async (
  files: { readonly oathkeeper: string; readonly keto: string },
  hop: OryHop,
  programs: Program[],
): Promise<void> => {
  const [read = 0, write = 0, ketoMetrics = 0, api = 0, metrics = 0] = (await freeAddresses(5)).map((address) =>
    Number(address.slice(address.lastIndexOf(':') + 1)),
  );
  const host = '127.0.0.1';
  const keto = {
    version: 'v0.13.0',
    dsn: 'memory',
    namespaces: ['role', 'endpoint'].map((name, id) => ({ id, name })),
    serve: { read: { host, port: read }, write: { host, port: write }, metrics: { host, port: ketoMetrics } },
    log: { level: 'error' },
  };
  const oathkeeper = {
    serve: { proxy: { host, port: hop.port }, api: { host, port: api }, prometheus: { host, port: metrics } },
    access_rules: { repositories: [`file://${join(hop.folder, 'rules.json')}`], matching_strategy: 'regexp' },
    authenticators: {
      jwt: {
        enabled: true,
        config: {
          jwks_urls: [`file://${join(hop.folder, 'keys.json')}`],
          scope_strategy: 'none',
          trusted_issuers: [hop.issuer],
          target_audience: [hop.audience],
          allowed_algorithms: ['RS256'],
        },
      },
    },
    authorizers: {
      remote_json: {
        enabled: true,
        config: {
          remote: `http://${host}:${read}/relation-tuples/check`,
          payload:
            '{"namespace":"endpoint","object":"{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}","relation":"call","subject_id":"{{ .Subject }}"}',
        },
      },
    },
    mutators: { noop: { enabled: true } },
    errors: { fallback: ['json'], handlers: { json: { enabled: true } } },
    log: { level: 'error', leak_sensitive_values: false },
  };
  const rules = [
    {
      id: 'api',
      upstream: { url: `http://${host}:${hop.upstreamPort}` },
      match: { url: `http://${host}:${hop.port}/<.*>`, methods: ['GET'] },
      authenticators: [{ handler: 'jwt' }],
      authorizer: { handler: 'remote_json' },
      mutators: [{ handler: 'noop' }],
    },
  ];
  // It looks for keys that say what they are for.
  const { keys } = JSON.parse(await readFile(hop.jwksFile, 'utf8')) as { readonly keys: readonly object[] };
  const forSignatures = { keys: keys.map((key) => ({ ...key, use: 'sig' })) };
  await Promise.all([
    writeFile(join(hop.folder, 'keys.json'), JSON.stringify(forSignatures)),
    writeFile(join(hop.folder, 'keto.yaml'), stringify(keto)),
    writeFile(join(hop.folder, 'oathkeeper.yaml'), stringify(oathkeeper)),
    writeFile(join(hop.folder, 'rules.json'), JSON.stringify(rules)),
  ]);
  programs.push(await startProgramAt(files.keto, ['serve', '-c', join(hop.folder, 'keto.yaml')], write));
  for (const tuple of [
    { namespace: 'role', object: 'bench', relation: 'member', subject_id: hop.subject },
    {
      namespace: 'endpoint',
      object: 'employees/42',
      relation: 'call',
      subject_set: { namespace: 'role', object: 'bench', relation: 'member' },
    },
  ]) {
    const body = JSON.stringify(tuple);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`http://${host}:${write}/admin/relation-tuples`, { method: 'PUT', headers, body });
    if (!answer.ok) throw new Error(`Keto refused a tuple: ${answer.status} ${await answer.text()}`);
  }
  programs.push(await startProgramAt(files.oathkeeper, ['serve', '-c', join(hop.folder, 'oathkeeper.yaml')], hop.port));
};
