/**
 * What the model notices: the product's source with one thing wrong at a time, each of which has to fail within some thousand schedules.
 * As a program (`node services/proxy/src/trial/model/mutations.ts`) it tries them all and exits with 1 where one goes unnoticed.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

type Mutation = {
  readonly name: string;
  /** The end of its path. */
  readonly file: string;
  readonly reads: string;
  readonly mutated: string;
};

const cache = '/proxy/src/decide/cache.ts';
const decider = '/proxy/src/decide/decider.ts';
const lease = '/proxy/src/decide/lease.ts';
const enforcement = '/schemas/src/decisions/enforcement.ts';

export const mutations: readonly Mutation[] = [
  {
    name: 'an invalidation is off by one',
    file: cache,
    reads: 'if (sequence < (subjectMarks.get(subject) ?? 0)) return false;',
    mutated: 'if (sequence + 1 < (subjectMarks.get(subject) ?? 0)) return false;',
  },
  { name: 'no epoch check', file: cache, reads: 'if (sequence < epoch || ', mutated: 'if (' },
  {
    name: 'an answer is kept without being compared',
    file: cache,
    reads: 'if (!counts(asked, answer.sequence)) return false;',
    mutated: '',
  },
  {
    name: 'an old entry is found without being compared',
    file: cache,
    reads: 'return counts(asked, entry.sequence) ? entry : undefined;',
    mutated: 'return entry;',
  },
  {
    name: 'a decision holds whatever the time',
    file: cache,
    reads: 'if (fields.length === 0) store(key, answer);',
    mutated: 'if (fields.length >= 0) store(key, answer);',
  },
  {
    name: 'objects are no part of the key',
    file: cache,
    reads: 'objects === undefined ? `${endpoint} ${caller}` : `${endpoint} ${objects} ${caller}`;',
    mutated: '`${endpoint} ${caller}`;',
  },
  {
    name: 'an answer of an authorizer that lags is accepted, and not compared',
    file: decider,
    reads: 'answer.sequence >= atLeast && cache.keep(asked, context, answer) ? answer : undefined;',
    mutated: 'cache.keep(asked, context, answer) ? answer : answer;',
  },
  {
    name: 'several answers of one request may be of different moments',
    file: '/proxy/src/decide/decide-all.ts',
    reads: 'if (since === sequence()) then(joint(endpoints, answers));',
    mutated: 'if (since !== undefined) then(joint(endpoints, answers));',
  },
  {
    name: 'a subject’s end touches nobody',
    file: '/proxy/src/decide/invalidation.ts',
    reads:
      "else if (terminal && relation === 'holder' && resource.startsWith('role:'))\n      found.push({ kind: 'subject', subject });",
    mutated: "else if (terminal && relation === 'holder' && resource.startsWith('role:'))\n      found.push();",
  },
  {
    name: 'the lease is longer by a twentieth',
    file: lease,
    reads: 'Math.min(heardAt, beatAt) + leaseMs);',
    mutated: 'Math.min(heardAt, beatAt) + leaseMs * 1.05);',
  },
  { name: 'the lease rests on the beats alone', file: lease, reads: 'Math.min(heardAt, beatAt)', mutated: 'beatAt' },
  { name: 'the lease rests on the log alone', file: lease, reads: 'Math.min(heardAt, beatAt)', mutated: 'heardAt' },
  {
    name: 'the log counts from when it is heard, not from when it was asked',
    file: lease,
    reads: 'heardAt = Math.max(heardAt, askedAt);',
    mutated: 'heardAt = clock.elapsed();',
  },
  {
    name: 'a beat counts from when it is acknowledged, not from when it was sent',
    file: lease,
    reads: 'beatAt = Math.max(beatAt, sentAt);',
    mutated: 'beatAt = clock.elapsed();',
  },
  {
    name: 'whoever was silent trusts what it heard before',
    file: lease,
    reads: 'heardAt < knownSince ? ',
    mutated: 'heardAt < 0 * knownSince ? ',
  },
  {
    name: 'what is enforced is told before streams are cut',
    file: '/proxy/src/facts.ts',
    reads: 'const reached = organisation.sequence;',
    mutated: 'const reached = organisation.sequence; standing.enforces = reached; advanced();',
  },
  {
    name: 'what is enforced is told before it is applied',
    file: '/proxy/src/heartbeat.ts',
    reads: 'enforces: standing.enforces,',
    mutated: 'enforces: standing.enforces + 1,',
  },
  {
    name: 'streams outlive the lease',
    file: '/proxy/src/watch.ts',
    reads: 'for (const exchange of live.all()) rechecker.cut(exchange);',
    mutated: '',
  },
  {
    name: 'a stream keeps what its first decision depended on',
    file: '/proxy/src/gate/recheck.ts',
    reads: 'exchange.dependsOn = [...dependsOn];',
    mutated: '',
  },
  {
    name: 'the barrier does not read the heartbeats to their end',
    file: enforcement,
    reads: 'if (!read) return',
    mutated: 'if (read === undefined) return',
  },
  {
    name: 'the barrier takes a break in its own hearing for a proxy’s silence',
    file: enforcement,
    reads: 'if (!atEnd) return;\n      ends++;\n      readUntil = askedAt;',
    mutated: 'readUntil = takenAt;\n      if (!atEnd) return;\n      ends++;',
  },
  {
    name: 'the barrier gives a lease up early',
    file: enforcement,
    reads: '>= beat.leaseMs * clockDrift;',
    mutated: '>= beat.leaseMs * 0.9;',
  },
  {
    name: 'the barrier waits for no proxy that starts',
    file: enforcement,
    reads: "each.beat.state === 'stopped' || ",
    mutated: "each.beat.state !== 'serving' || ",
  },
];

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const schedulesMax = 10_000;

/** How many schedules it took, or undefined where none failed. */
const tried = ({ name }: Mutation, seed: number): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const args = ['--disable-warning=ExperimentalWarning', '--import', here('mutate.ts'), here('check.ts')];
    const child = spawn(process.execPath, [...args, String(schedulesMax), String(seed), '--first'], {
      env: { ...process.env, POSTERN_MUTATION: name },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const failed = /Property failed after (\d+) tests/.exec(said)?.[1];
      if (failed !== undefined) resolve(Number(failed));
      else if (code === 0) resolve(undefined);
      else reject(new Error(said));
    });
  });

if (import.meta.main) {
  const seed = Number(process.env['SEED'] ?? 1);
  const chosen = mutations.filter(({ name }) => name.includes(process.argv[2] ?? ''));
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let mutation = chosen[next++]; mutation !== undefined; mutation = chosen[next++]) {
      const after = await tried(mutation, seed);
      if (after === undefined) process.exitCode = 1;
      process.stdout.write(`${after === undefined ? 'NOT NOTICED' : `after ${after}`.padEnd(11)}  ${mutation.name}\n`);
    }
  };
  await Promise.all([worker(), worker()]);
}
