/** An embedded world of the test's own: a stub API that notes every request, an issuer with its keys in a file, a postern.yaml. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { stringify } from 'yaml';
import { freeBasePort, type Running, startPostern } from './embedded.ts';

/** A request as it reached the API. */
export type Reached = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

export type StubApi = AsyncDisposable & { readonly url: string; readonly reached: Reached[] };

/** Answers 200 with `{}` to whatever comes. */
export const stubApi = async (): Promise<StubApi> => {
  const reached: Reached[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    reached.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks),
    });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reached,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

export const issuerUrl = 'https://idp.test';
export const audience = 'own-api';

export type OwnIssuer = {
  readonly jwks: object;
  readonly publicJwk: Readonly<Record<string, unknown>>;
  /** A token as it should be, but for what is given. */
  readonly token: (subject: string, more?: { claims?: JWTPayload; kid?: string; exp?: string }) => Promise<string>;
};

export const ownIssuer = async (): Promise<OwnIssuer> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    publicJwk: { ...jwk, kid },
    jwks: { keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] },
    token: (subject, { claims = {}, kid: other = kid, exp = '1h' } = {}) =>
      new SignJWT({ iss: issuerUrl, aud: audience, sub: subject, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: other, typ: 'at+jwt' })
        .setIssuedAt()
        .setExpirationTime(exp)
        .sign(privateKey),
  };
};

export type OwnWorld = AsyncDisposable & {
  readonly folder: string;
  readonly gate: string;
  readonly health: string;
  readonly api: StubApi;
  readonly issuer: OwnIssuer;
  readonly running: () => Running;
  /** The administrator's key. */
  readonly key: () => Promise<string>;
  readonly stop: (signal: NodeJS.Signals) => Promise<number | null>;
  readonly start: () => Promise<Running>;
};

export type OwnModel = {
  /** Documents by file name, and the service's own entry in postern.yaml but for its upstream. */
  readonly files: Readonly<Record<string, string>>;
  readonly services: Readonly<
    Record<
      string,
      { readonly mount: string; readonly openapi?: string; readonly [option: string]: string | object | undefined }
    >
  >;
  /** Trusted beside the test's own. */
  readonly moreIssuers?: readonly object[];
  readonly config?: object;
};

/** Written, and not started yet: `start` does. */
export const ownWorld = async ({ files, services, moreIssuers = [], config = {} }: OwnModel): Promise<OwnWorld> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-own-'));
  const [basePort, api, issuer] = await Promise.all([freeBasePort(), stubApi(), ownIssuer()]);
  const written = {
    listen: `127.0.0.1:${basePort}`,
    health: `127.0.0.1:${basePort + 1}`,
    data: './state',
    issuers: [
      { issuer: issuerUrl, audience: [audience], jwks: `file:${join(folder, 'jwks.json')}`, algorithms: ['ES256'] },
      ...moreIssuers,
    ],
    services: Object.fromEntries(
      Object.entries(services).map(([name, service]) => [name, { upstream: api.url, ...service }]),
    ),
    model: { roles: './roles.yaml' },
    log: { level: 'warn' },
    ...config,
  };
  await writeFile(join(folder, 'postern.yaml'), stringify(written));
  await writeFile(join(folder, 'jwks.json'), JSON.stringify(issuer.jwks));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  let running: Running | undefined;
  const stop = async (signal: NodeJS.Signals): Promise<number | null> => {
    const ending = running;
    running = undefined;
    ending?.process.kill(signal);
    return (await ending?.ended) ?? null;
  };
  return {
    folder,
    gate: `http://127.0.0.1:${basePort}`,
    health: `http://127.0.0.1:${basePort + 1}`,
    api,
    issuer,
    running: () => {
      if (running === undefined) throw new Error('the world is not started');
      return running;
    },
    key: async () => (await readFile(join(folder, 'state/admin.key'), 'utf8')).trim(),
    stop,
    start: async () => {
      running = await startPostern(['up'], { cwd: folder });
      return running;
    },
    [Symbol.asyncDispose]: async () => {
      await stop('SIGTERM');
      await api[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
