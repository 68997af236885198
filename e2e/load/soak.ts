/**
 * Constant load for minutes, with people who come and go and tokens that are new all the time, and what memory that takes:
 * `npm run soak -- --minutes 10`. Each change is a fact that the organisation comes to hold; with `--change-every-ms 0` there are none,
 * and what grows then is a leak. Exits with 1 where the heap grows.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freeBasePort, startPostern } from '../world/embedded.ts';
import { growthOf, type Sample } from './slope.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, 'change-every-ms': { type: 'string', default: '250' } },
});
const minutes = Number(values.minutes);
const people = 200;
const callers = 8;
const callEveryMs = 20;
const callsPerToken = 40;
/** As many as the gate remembers: it is full from the beginning, so that what grows later is no cache that fills. */
const tokensBefore = 20_000;
const changeEveryMs = Number(values['change-every-ms']);
/** Caches fill and code is compiled: not counted. */
const warmUpShare = 0.3;
/** Per ten minutes; what grows more than this is a leak or a cache without a bound. */
const heapGrowthMax = 0.1;

const folder = await mkdtemp(join(tmpdir(), 'postern-soak-'));
const memoryFile = join(folder, 'memory');
const basePort = await freeBasePort();
const gate = `http://127.0.0.1:${basePort}`;
const running = await startPostern(['up', '--demo', '--base-port', String(basePort)], {
  cwd: folder,
  env: {
    NODE_OPTIONS: `--import ${new URL('memory-told.ts', import.meta.url).href}`,
    POSTERN_MEMORY_FILE: memoryFile,
    POSTERN_MEMORY_EVERY_MS: String(Math.max(1_000, (minutes * 60_000) / 120)),
  },
});
try {
  const key = (await readFile(join(folder, '.postern/admin.key'), 'utf8')).trim();
  const tokenOf = async (name: string): Promise<string> =>
    await (await fetch(`http://127.0.0.1:${basePort + 3}/token/${name}`)).text();
  const call = async (token: string): Promise<number> => {
    const response = await fetch(`${gate}/payroll/employees`, { headers: { authorization: `Bearer ${token}` } });
    await response.arrayBuffer();
    return response.status;
  };
  process.stderr.write(`the gate comes to know ${tokensBefore} tokens\n`);
  let known = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (known++ < tokensBefore) await call(await tokenOf(`soaked-${known % people}-${known}`));
    }),
  );
  const begun = performance.now();
  const until = begun + minutes * 60_000;
  const answers = new Map<number, number>();
  let changes = 0;
  let tokens = 0;
  const someone = (): string => `soaked-${Math.floor(Math.random() * people)}`;
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      // Each token is a new one, called with a few times.
      const token = await tokenOf(someone());
      tokens++;
      for (let times = 0; times < callsPerToken; times++) {
        const status = await call(token);
        answers.set(status, (answers.get(status) ?? 0) + 1);
        await sleep(callEveryMs);
      }
    }
  };
  const tell = async (id: string, type: 'joined' | 'left', name: string): Promise<void> => {
    const event = {
      specversion: '1.0',
      id,
      source: '/soak',
      type: `postern.person.${type}.v1`,
      subject: `user:${name}`,
      data: type === 'joined' ? { department: 'finance' } : { reason: 'resigned' },
    };
    const response = await fetch(`${gate}/.postern/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json', 'x-api-key': key },
      body: JSON.stringify(event),
    });
    await response.arrayBuffer();
  };
  const changer = async (): Promise<void> => {
    for (; changeEveryMs > 0 && performance.now() < until; changes++) {
      await tell(`soak-${changes}`, changes % 2 === 0 ? 'joined' : 'left', someone());
      await sleep(changeEveryMs);
    }
  };
  if (changeEveryMs === 0)
    for (let person = 0; person < people; person++) await tell(`all-${person}`, 'joined', `soaked-${person}`);
  await Promise.all([changer(), ...Array.from({ length: callers }, caller)]);

  const samples = (await readFile(memoryFile, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { at: number; rss: number; heapUsed: number; external: number });
  const kept = samples.slice(Math.ceil(samples.length * warmUpShare));
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1).padStart(8);
  process.stdout.write(`\n minute       rss   heap (collected)  external   [MiB]\n`);
  const rowEvery = Math.max(1, Math.floor(samples.length / 12));
  for (const [index, { at, rss, heapUsed, external }] of samples.entries())
    if (index % rowEvery === 0 || index === samples.length - 1)
      process.stdout.write(
        `${(at / 60_000).toFixed(1).padStart(7)}  ${mebibytes(rss)}  ${mebibytes(heapUsed).padStart(17)}  ${mebibytes(external)}\n`,
      );
  const growth = (of: 'rss' | 'heapUsed' | 'external'): number =>
    growthOf(
      kept.map((sample): Sample => ({ seconds: sample.at / 1_000, value: sample[of] })),
      600,
    );
  const percent = (share: number): string => `${share >= 0 ? '+' : ''}${(share * 100).toFixed(1)} %`;
  const told = [...answers].map(([status, times]) => `${status}: ${times}`).join(', ');
  process.stdout.write(
    `\n${changes} changes, ${tokens} tokens, answers ${told}\nin ten minutes, by the median slope of the last ${Math.round((1 - warmUpShare) * 100)} %: ` +
      `heap ${percent(growth('heapUsed'))}, rss ${percent(growth('rss'))}, external ${percent(growth('external'))}\n`,
  );
  const flat = growth('heapUsed') <= heapGrowthMax;
  process.stdout.write(flat ? 'flat\n' : `NOT FLAT: the heap may grow by ${heapGrowthMax * 100} % at most\n`);
  if (!flat) process.exitCode = 1;
} finally {
  running.process.kill('SIGTERM');
  await running.ended;
  await rm(folder, { recursive: true, force: true });
}
