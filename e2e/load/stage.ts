/** What every contender of the bench shares: one upstream, one endpoint, one caller with a token, and the files of a small model. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { freeBasePort, startPostern } from '../world/embedded.ts';
import type { Target } from './load.ts';
import { type Started, startProgram } from './processes.ts';

export type Contender = Target & {
  readonly name: string;
  /** What it does of our job, in a few words. */
  readonly does: 'nothing' | 'asks a stub' | 'decides';
  /** Its processes, whose CPU time is counted. */
  readonly pids: readonly number[];
};
export type Stage = AsyncDisposable & {
  readonly folder: string;
  readonly upstream: Contender;
  readonly token: string;
  readonly jwksFile: string;
};

export const issuer = 'https://bench.example';

export const openStage = async (): Promise<Stage> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'));
  const port = await freeBasePort();
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwksFile = join(folder, 'jwks.json');
  await writeFile(
    jwksFile,
    JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'RS256' }] }),
  );
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: 'bench', typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience('bench')
    .setSubject('bench')
    .setIssuedAt()
    .setExpirationTime('8h')
    .sign(privateKey);
  const server = await startProgram('peers/upstream.ts', [port]);
  return {
    folder,
    token,
    jwksFile,
    upstream: {
      name: 'no proxy (the upstream itself)',
      does: 'nothing',
      url: `http://127.0.0.1:${port}/employees/42`,
      headers: {},
      pids: [server.pid],
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

export const portOf = (target: Target): number => Number(new URL(target.url).port);

export type Size = {
  readonly routes: number;
  /** Beside the bench's own; each opens its share of the routes. */
  readonly roles: number;
  readonly users: number;
};
export const smallest: Size = { routes: 1, roles: 0, users: 0 };
/** What is published together has to fit one append, so a large organisation's services come one after the other. */
const routesPerService = 2_500;

/** The files of a model with the one endpoint that the bench calls. */
export const writeModel = async ({
  folder,
  upstream,
}: Pick<Stage, 'folder' | 'upstream'>): Promise<{ file: string; port: number }> => {
  const port = await freeBasePort();
  await writeFile(
    join(folder, 'api.yaml'),
    'openapi: 3.1.0\ninfo: { title: Bench, version: "1" }\npaths:\n  /employees/{id}:\n    get: { operationId: getEmployee }\n',
  );
  await writeFile(
    join(folder, 'roles.yaml'),
    'reader:\n  allows: [{ endpoint: bench/getEmployee }]\n  birthright: { department: bench }\n',
  );
  const file = join(folder, 'postern.yaml');
  await writeFile(
    file,
    `listen: 127.0.0.1:${port}\nhealth: 127.0.0.1:${port + 1}\nissuers: [{ issuer: "${issuer}", audience: [bench], jwks: "file:./jwks.json", algorithms: [RS256] }]\nservices: { bench: { upstream: "http://127.0.0.1:${portOf(upstream)}", mount: /bench, openapi: ./api.yaml } }\nmodel: { roles: ./roles.yaml }\nlog: { level: warn }\n`,
  );
  return { file, port };
};

/** Gives the bench's caller its birthright, through the gate, once that can decide: many people take the engine a while. */
export const hire = async (gate: string, key: string): Promise<void> => {
  const deadline = performance.now() + hireTimeoutMs;
  for (;;) {
    const joined = await fetch(`${gate}/.postern/events?wait=enforced`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({
        specversion: '1.0',
        id: 'bench',
        source: '/bench',
        type: 'postern.person.joined.v1',
        subject: 'user:bench',
        data: { department: 'bench' },
      }),
    });
    if (joined.ok) return;
    const said = await joined.text();
    if (joined.status !== 503 || performance.now() > deadline) throw new Error(said);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
};
const hireTimeoutMs = 180_000;

/** Something started; without a contender it is only what others need. */
export type Open = { readonly contender: Contender | undefined; readonly stop: () => Promise<void> };

const opened = (started: Started, contender: Omit<Contender, 'pids'>): Open => ({
  contender: { ...contender, pids: [started.pid] },
  stop: started.stop,
});

export const bare = async (stage: Stage, name: 'undici' | 'http-proxy', profile: readonly string[]): Promise<Open> => {
  const port = await freeBasePort();
  const started = await startProgram(`peers/bare-${name}.ts`, [port, portOf(stage.upstream)], profile);
  return opened(started, {
    name: name === 'undici' ? bareUndici : 'bare http-proxy-3',
    does: 'nothing',
    url: `http://127.0.0.1:${port}/employees/42`,
    headers: {},
  });
};
/** The mark that everything is measured against. */
export const bareUndici = 'bare undici proxy';

export type GateOptions = {
  readonly size?: Size;
  /** URL of the engine; by default one in the process. */
  readonly relationships?: string;
  readonly cachedDecisionsMax?: number;
  readonly unrecorded?: boolean;
  readonly name?: string;
  readonly profile?: readonly string[];
};

/** The gate as `postern serve proxy` runs it. */
export const gateAlone = async (stage: Stage, options: GateOptions = {}): Promise<Open> => {
  const { size = smallest, relationships = 'embedded:', cachedDecisionsMax = 200_000, unrecorded = false } = options;
  const { file, port } = await writeModel(stage);
  const services = Math.ceil((size.routes - 1) / routesPerService);
  const perService = (all: number): number => Math.ceil(all / Math.max(services, 1));
  const each = { routesEach: perService(size.routes - 1), rolesEach: perService(size.roles) };
  const given = { file, port, upstream: portOf(stage.upstream), relationships, users: size.users, services, ...each };
  const started = await startProgram(
    'peers/gate.ts',
    [JSON.stringify({ ...given, cachedDecisionsMax, unrecorded })],
    options.profile,
  );
  await hire(`http://127.0.0.1:${port}`, /^key (.*)$/m.exec(started.said())?.[1] ?? '');
  return opened(started, {
    name: options.name ?? 'postern, the gate by itself (serve proxy)',
    does: 'decides',
    url: `http://127.0.0.1:${port}/bench/employees/42`,
    headers: { authorization: `Bearer ${stage.token}` },
  });
};

export const posternUp = async (stage: Stage): Promise<Open> => {
  const { port } = await writeModel(stage);
  const running = await startPostern(['up'], { cwd: stage.folder });
  await hire(`http://127.0.0.1:${port}`, (await readFile(join(stage.folder, '.postern/admin.key'), 'utf8')).trim());
  return {
    contender: {
      name: 'postern up (log and record beside it)',
      does: 'decides',
      url: `http://127.0.0.1:${port}/bench/employees/42`,
      headers: { authorization: `Bearer ${stage.token}` },
      pids: [running.process.pid ?? 0],
    },
    stop: async () => {
      running.process.kill('SIGTERM');
      await running.ended;
    },
  };
};
