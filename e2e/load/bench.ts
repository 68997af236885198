/**
 * `npm run bench`: what things cost, as ratios within one run; only those mean anything on a machine that others use too. Everything runs
 * on this machine and shares its cores with the load. With the gate, token verification, route match, decision, signed assertion and
 * decision recording are all on.
 *
 *   --seconds N --rounds N --connections N    how long, how often, how wide
 *   --only requests|curves|latency|model|record   one section
 *   --decisions N                             how many the record is given; 200,000 where nothing is said
 *   --stores TEXT                             of the record's stores (SQLite, PostgreSQL) those whose name holds it
 *   --contenders TEXT                         of the proxies, those whose name holds it; `others` is everybody else's
 *   --profile DIR                             CPU profiles of the proxies, one file a process
 */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { posternMain, root } from '../world/embedded.ts';
import { cacheCurve, sizeCurve } from './curves.ts';
import { addedLatency } from './latency.ts';
import { openOthers } from './others.ts';
import { compareRequests } from './requests.ts';
import { bare, gateAlone, type Open, openStage, posternUp } from './stage.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    only: { type: 'string' },
    decisions: { type: 'string', default: '200000' },
    stores: { type: 'string', default: '' },
    contenders: { type: 'string', default: '' },
    profile: { type: 'string' },
  },
});
const rounds = {
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  connections: Number(values.connections),
};
const profile = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
const wanted = (section: string): boolean => values.only === undefined || values.only === section;

if (wanted('record'))
  spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'e2e/load/record.ts'), values.decisions, values.stores],
    { stdio: 'inherit' },
  );
if (values.only === 'record') process.exit();

await using stage = await openStage();

if (wanted('requests')) {
  const own: readonly (readonly [string, () => Promise<Open>])[] = [
    ['undici', () => bare(stage, 'undici', profile)],
    ['http-proxy-3', () => bare(stage, 'http-proxy', profile)],
    ['postern up', () => posternUp(stage)],
    ['postern gate', () => gateAlone(stage, { profile })],
    [
      'postern gate unrecorded',
      () => gateAlone(stage, { profile, unrecorded: true, name: 'postern, the gate, recording left out' }),
    ],
  ];
  const { contenders } = values;
  const chosen = own.filter(([name]) => name === 'undici' || (contenders !== 'others' && name.includes(contenders)));
  const open: Open[] = [];
  try {
    for (const [, start] of chosen) open.push(await start());
    if (contenders === '' || contenders === 'others') open.push(...(await openOthers(stage, '')));
    await compareRequests([stage.upstream, ...open.flatMap(({ contender }) => contender ?? [])], rounds);
  } finally {
    await Promise.all(open.map(({ stop }) => stop()));
  }
}

if (wanted('curves')) {
  await sizeCurve(stage, rounds);
  cacheCurve();
}

if (wanted('latency')) await addedLatency(stage, rounds);

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

if (wanted('model')) {
  process.stdout.write('\nTHE MODEL, as a whole process each\n');
  const model = join(stage.folder, 'github');
  await mkdir(model);
  await writeFile(
    join(model, 'postern.yaml'),
    `services: { github: { upstream: "http://127.0.0.1:1", mount: /github, openapi: ${join(root, 'schemas/fixtures/github-openapi.json')} } }\nmodel: { roles: ./roles.yaml }\n`,
  );
  await writeFile(join(model, 'roles.yaml'), 'reader:\n  allows: [{ service: github, access: read }]\n');
  timed("postern check on GitHub's 1,223 operations", [posternMain, 'check'], model);
  timed('preview on it: 1,000,000 decisions, 10,000 pairs drawn', [join(root, 'e2e/load/preview.ts')], stage.folder);
}
