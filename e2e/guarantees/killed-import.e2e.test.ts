/**
 * An import by SCIM Bulk into a process that is killed at any moment: once it is sent again, everybody is there once, with the
 * memberships that were sent, and a further import changes nothing. POSTERN_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GroupId, PrincipalId } from '@postern/schemas';
import { bring, groups, people, type Size, type Target } from '../load/scim-import.ts';
import { ownWorld } from '../world/own-api.ts';
import { factsIn, organisationOf } from '../world/read-back.ts';
import { things } from '../world/things.ts';
import { seeded } from './random-history.ts';

const size: Size = { people: 2_500, memberships: 3_000, groupSize: 100 };
const kills = 3;

test('a killed import is finished by sending it again, and nothing is there twice', async (context) => {
  const seed = Number(process.env['POSTERN_SEED'] ?? randomInt(2 ** 31));
  context.diagnostic(`POSTERN_SEED=${seed}`);
  const random = seeded(seed);
  await using world = await ownWorld(things());
  await world.start();
  let up = Promise.resolve();
  let importing = true;
  const target: Target = { gate: world.gate, key: await world.key(), alive: () => up };

  const killer = (async () => {
    for (let kill = 0; kill < kills && importing; kill++) {
      await sleep(50 + random(900));
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      up = promise;
      up.catch(() => {});
      await world.stop('SIGKILL');
      // One that does not come up again ends the import as well.
      await world.start().then(() => resolve(), reject);
      await promise;
    }
  })();
  killer.catch(() => {});
  const first = await bring(target, size);
  importing = false;
  await killer;
  // A Bulk whose answer was lost is sent again as it was, and hears that its people are there already; a reconciler looks again.
  const again = await bring(target, size);
  assert.equal(again.failed, 0, again.failures.join('\n'));
  const last = await bring(target, size);
  assert.deepEqual([last.created, last.failed], [0, 0]);

  await world.stop('SIGTERM');
  const entries = await factsIn(`file:${join(world.folder, 'state')}`);
  const facts = entries.map(({ fact }) => fact);
  const organisation = organisationOf(entries);
  const joined = facts.filter(({ type }) => type === 'postern.principal.joined.v1').map(({ subject }) => subject);
  assert.equal(new Set(joined).size, joined.length, 'nobody joined twice');
  for (const { externalId } of people(size))
    assert.equal(organisation.principals.get(`user:${externalId}` as PrincipalId)?.state, 'active');
  let memberships = 0;
  for (const { externalId, body } of groups(size)) {
    const wanted = (body as { members: { value: string }[] }).members.map(({ value }) => `user:${value}`);
    const direct = [...organisation.groups.direct(`group:${externalId}` as GroupId)];
    assert.deepEqual(direct.toSorted(), wanted.toSorted(), externalId);
    memberships += direct.length;
  }
  const added = facts.flatMap((fact) => (fact.type === 'postern.group.changed.v1' ? fact.data.add : []));
  assert.equal(added.length, memberships, 'no membership was written twice');
  context.diagnostic(`${first.failed} operations met themselves; ${facts.length} facts, ${memberships} memberships`);
});
