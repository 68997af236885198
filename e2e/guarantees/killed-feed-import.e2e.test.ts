/**
 * `postern feeds import` against a process that is killed at any moment: the command goes on by itself, everything is there once, and the
 * same file again writes nothing. POSTERN_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GroupId } from '@postern/schemas';
import { postern } from '../world/command.ts';
import { ownWorld } from '../world/own-api.ts';
import { factsIn, organisationOf } from '../world/read-back.ts';
import { event, things } from '../world/things.ts';
import { seeded } from './random-history.ts';

const people = 2_000;
const groupSize = 100;
const kills = 2;

const subject = (n: number): string => `user:p${n}`;
const events = [
  ...Array.from({ length: people }, (_, n) => event(`p${n}`, 'person.joined', subject(n), { department: `D${n % 7}` })),
  ...Array.from({ length: people }, (_, n) =>
    event(`m${n}`, 'group.changed', `group:g${n % (people / groupSize)}`, { add: [subject(n)] }),
  ),
];

test('an import by file goes on when what it imports into is killed, and nothing is there twice', async (context) => {
  const seed = Number(process.env['POSTERN_SEED'] ?? randomInt(2 ** 31));
  context.diagnostic(`POSTERN_SEED=${seed}`);
  const random = seeded(seed);
  await using world = await ownWorld(things());
  await world.start();
  const file = join(world.folder, 'events.ndjson');
  await writeFile(file, `${events.map((each) => JSON.stringify(each)).join('\n')}\nno JSON\n`);
  const env = { POSTERN_URL: world.gate, POSTERN_KEY: await world.key() };
  const imports = () => postern(['feeds', 'import', file, '--json'], { cwd: world.folder, env });

  let importing = true;
  const killer = (async () => {
    for (let kill = 0; kill < kills && importing; kill++) {
      await sleep(300 + random(700));
      await world.stop('SIGKILL');
      await world.start();
    }
  })();
  killer.catch(() => {});
  const first = await imports();
  importing = false;
  await killer;
  const counts = JSON.parse(first.stdout) as Record<'taken' | 'repeated' | 'refused', number>;
  assert.equal(counts.taken + counts.repeated, events.length, first.stderr);
  // The line that is no event is told, by its number, and holds up nothing.
  assert.deepEqual([counts.refused, first.code], [1, 1]);
  assert.match(first.stderr, new RegExp(`line ${events.length + 1}: not a JSON object`));
  const again = await imports();
  assert.deepEqual(JSON.parse(again.stdout), { taken: 0, repeated: events.length, refused: 1 });

  await world.stop('SIGTERM');
  const entries = await factsIn(`file:${join(world.folder, 'state')}`);
  const organisation = organisationOf(entries);
  const told = entries
    .map(({ fact }) => fact)
    .filter(({ inboundsource }) => inboundsource === '/hr')
    .map(({ inboundid }) => inboundid);
  assert.deepEqual([told.length, new Set(told).size], [events.length, events.length]);
  for (let group = 0; group < people / groupSize; group++)
    assert.equal(organisation.groups.direct(`group:g${group}` as GroupId).size, groupSize);
  context.diagnostic(`${counts.repeated} events met themselves`);
});
