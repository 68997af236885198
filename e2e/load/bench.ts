/**
 * `npm run bench`: what a request pays, as ratios within one run; only those mean anything on a machine that others use too.
 *
 * Everything runs on this machine and shares its cores with the load: an upstream, proxies that decide nothing, and the gate with
 * token verification, route match, decision, signed assertion and decision recording all on. Rounds are interleaved, so that a
 * slow minute hits everybody. `--seconds N` per round, `--rounds N`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { freeBasePort, posternMain, root, startPostern } from '../world/embedded.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const connections = Number(values.connections);

type Contender = {
  readonly name: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly pid: number;
};
type Measured = {
  readonly requestsPerSecond: number;
  readonly cpuMicros: number;
  readonly p50: number;
  readonly p99: number;
};

const peer = async (file: string, ...args: readonly (string | number)[]) => {
  const child = spawn(process.execPath, [join(root, 'e2e/load/peers', file), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  await new Promise<void>((resolve) =>
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (/^ready$/m.test(said)) resolve();
    }),
  );
  return { child, said };
};

/** User and system CPU time of a process so far, in µs (Linux: /proc/PID/stat, clock ticks of 10 ms). */
const cpuMicrosOf = async (pid: number): Promise<number> => {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};

const measure = async (
  { url, headers, pid }: Contender,
  load: { connections: number; duration: number },
): Promise<Measured> => {
  const before = await cpuMicrosOf(pid);
  const result = await autocannon({ url, headers, ...load, excludeErrorStats: false });
  const after = await cpuMicrosOf(pid);
  if (result.non2xx > 0 || result.errors > 0) {
    const now = await (await fetch(url, { headers })).text();
    throw new Error(
      `${url}: ${result.non2xx} answers were not 200, ${result.errors} failed; now it says ${now.slice(0, 300)}`,
    );
  }
  const { total } = result.requests;
  if (total === 0) throw new Error(`${url}: nothing was answered`);
  return {
    requestsPerSecond: total / result.duration,
    cpuMicros: (after - before) / total,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
};

/** Gives the bench's caller its birthright, through the gate. */
const hire = async (gate: string, key: string): Promise<void> => {
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
  if (!joined.ok) throw new Error(await joined.text());
};

/** Wall time of a whole process, its start included. */
const timed = (name: string, args: readonly string[], cwd: string): void => {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
  process.stdout.write(`${name.padEnd(60)}${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s\n`);
};

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'));
const port = await freeBasePort();
const children: ChildProcess[] = [];
try {
  const gatePort = await freeBasePort();
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  await writeFile(
    join(folder, 'jwks.json'),
    JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'RS256' }] }),
  );
  await writeFile(
    join(folder, 'api.yaml'),
    'openapi: 3.1.0\ninfo: { title: Bench, version: "1" }\npaths:\n  /employees/{id}:\n    get: { operationId: getEmployee }\n',
  );
  await writeFile(
    join(folder, 'roles.yaml'),
    'reader:\n  allows: [{ service: bench, access: read }]\n  birthright: { department: bench }\n',
  );
  await writeFile(
    join(folder, 'postern.yaml'),
    `listen: 127.0.0.1:${gatePort}\nhealth: 127.0.0.1:${gatePort + 1}\nissuers: [{ issuer: "https://bench.example", audience: [bench], jwks: "file:./jwks.json", algorithms: [RS256] }]\nservices: { bench: { upstream: "http://127.0.0.1:${port}", mount: /bench, openapi: ./api.yaml } }\nmodel: { roles: ./roles.yaml }\nlog: { level: warn }\n`,
  );
  for (const [file, ...args] of [
    ['upstream.ts', port],
    ['bare-undici.ts', port + 1, port],
    ['bare-http-proxy.ts', port + 2, port],
  ] as const)
    children.push((await peer(file, ...args)).child);
  const gate = await startPostern(['up'], { cwd: folder });
  children.push(gate.process);
  const alone = await peer('gate.ts', join(folder, 'postern.yaml'), port + 3, port);
  children.push(alone.child);
  const aloneKey = /^key (.*)$/m.exec(alone.said)?.[1] ?? '';
  const key = (await readFile(join(folder, '.postern/admin.key'), 'utf8')).trim();
  await hire(`http://127.0.0.1:${gatePort}`, key);
  await hire(`http://127.0.0.1:${port + 3}`, aloneKey);
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: 'bench', typ: 'at+jwt' })
    .setIssuer('https://bench.example')
    .setAudience('bench')
    .setSubject('bench')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);

  const pidOf = (index: number): number => children[index]?.pid ?? 0;
  const plain = {};
  const contenders: Contender[] = [
    {
      name: 'no proxy (the upstream itself)',
      url: `http://127.0.0.1:${port}/employees/42`,
      headers: plain,
      pid: pidOf(0),
    },
    {
      name: 'bare undici proxy, decides nothing',
      url: `http://127.0.0.1:${port + 1}/employees/42`,
      headers: plain,
      pid: pidOf(1),
    },
    {
      name: 'bare http-proxy-3, decides nothing',
      url: `http://127.0.0.1:${port + 2}/employees/42`,
      headers: plain,
      pid: pidOf(2),
    },
    {
      name: 'postern up: log and record in the same process',
      url: `http://127.0.0.1:${gatePort}/bench/employees/42`,
      headers: { authorization: `Bearer ${token}` },
      pid: pidOf(3),
    },
    {
      name: 'postern, the gate by itself (serve proxy)',
      url: `http://127.0.0.1:${port + 3}/bench/employees/42`,
      headers: { authorization: `Bearer ${token}` },
      pid: pidOf(4),
    },
  ];
  const results = new Map<string, { load: Measured[]; single: Measured[] }>(
    contenders.map(({ name }) => [name, { load: [], single: [] }]),
  );
  for (const contender of contenders) await measure(contender, { connections, duration: 2 });
  for (let round = 0; round < rounds; round++)
    for (const contender of contenders) {
      process.stderr.write(`round ${round + 1} of ${rounds}: ${contender.name}\n`);
      results.get(contender.name)?.load.push(await measure(contender, { connections, duration: seconds }));
      results
        .get(contender.name)
        ?.single.push(await measure(contender, { connections: 1, duration: Math.max(1, Math.floor(seconds / 2)) }));
    }
  const mark = median(
    results.get('bare undici proxy, decides nothing')?.load.map(({ requestsPerSecond }) => requestsPerSecond) ?? [],
  );
  process.stdout.write(
    `\n${connections} connections, ${rounds} rounds of ${seconds} s, medians; one machine shared by load, gate and upstream\n\n`,
  );
  process.stdout.write(
    `${'WHAT'.padEnd(46)}${'REQ/S'.padStart(9)}${'RATIO'.padStart(8)}${'CPU µs/req'.padStart(12)}${'p99 ms'.padStart(9)}${'1 conn req/s'.padStart(14)}\n`,
  );
  for (const [name, { load, single }] of results) {
    const rate = median(load.map(({ requestsPerSecond }) => requestsPerSecond));
    process.stdout.write(
      `${name.padEnd(46)}${rate.toFixed(0).padStart(9)}${(rate / mark).toFixed(2).padStart(8)}${median(
        load.map(({ cpuMicros }) => cpuMicros),
      )
        .toFixed(1)
        .padStart(12)}${median(load.map(({ p99 }) => p99))
        .toFixed(1)
        .padStart(9)}${median(single.map(({ requestsPerSecond }) => requestsPerSecond))
        .toFixed(0)
        .padStart(14)}\n`,
    );
  }
  process.stdout.write('\nTHE MODEL, as a whole process each\n');
  const model = join(folder, 'github');
  await mkdir(model);
  await writeFile(
    join(model, 'postern.yaml'),
    `services: { github: { upstream: "http://127.0.0.1:1", mount: /github, openapi: ${join(root, 'schemas/fixtures/github-openapi.json')} } }\nmodel: { roles: ./roles.yaml }\n`,
  );
  await writeFile(join(model, 'roles.yaml'), 'reader:\n  allows: [{ service: github, access: read }]\n');
  timed("postern check on GitHub's 1,223 operations", [posternMain, 'check'], model);
  timed('preview on it: 1,000,000 decisions, 10,000 distinct pairs', [join(root, 'e2e/load/preview.ts')], folder);
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(
    children.map(
      (child) => new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(undefined))),
    ),
  );
  await rm(folder, { recursive: true, force: true });
}
