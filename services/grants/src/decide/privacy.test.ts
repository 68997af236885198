import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldId, type HoldScope, isProblem, type PrincipalId } from '@postern/schemas';
import type { Command } from './command.ts';
import { joins, person } from './life-story.ts';
import { story } from './story.ts';

const [ann, bob] = [person('ann'), person('bob')];
const erases = (subject: PrincipalId): Command => ({
  kind: 'erase-subject',
  subject,
  texts: { 'postern.grant.issued.v1/reason': 2 },
  profile: true,
  reason: 'asked for',
});
const holds = (on: HoldScope): Command => ({ kind: 'place-hold', on, reason: 'a claim' });
const leaves = (principal: PrincipalId): Command => ({ kind: 'leave', principal });

test('whoever has left is erased, and the fact says what of', () => {
  const told = story();
  told.run(joins('ann'));
  told.run(leaves(ann));
  const [fact] = told.run(erases(ann));
  assert.equal(fact?.type, 'postern.subject.erased.v1');
  assert.deepEqual(fact?.data, {
    subject: ann,
    texts: { 'postern.grant.issued.v1/reason': 2 },
    profile: true,
    reason: 'asked for',
  });
  assert.equal(told.organisation.privacy.erased.get(ann), told.organisation.sequence);
});

test('whoever is still here is not erased; somebody who never joined is', () => {
  const told = story();
  told.run(joins('ann'));
  assert.throws(
    () => told.run(erases(ann)),
    (error) => isProblem(error, 'grants/still-active'),
  );
  assert.equal(told.run(erases(bob)).length, 1);
});

for (const [on, blocked] of [
  [{ subject: ann }, true],
  [{}, true],
  [{ log: 'facts' }, true],
  [{ from: '2020-01-01T00:00:00Z' }, true],
  [{ subject: bob }, false],
  [{ log: 'decisions' }, false],
  [{ subject: ann, log: 'decisions' }, false],
] as const satisfies readonly (readonly [HoldScope, boolean])[])
  test(`a hold on ${JSON.stringify(on)} ${blocked ? 'keeps' : 'does not keep'} somebody from being erased, until it is lifted`, () => {
    const told = story();
    const [placed] = told.run(holds(on));
    if (!blocked) return assert.equal(told.run(erases(ann)).length, 1);
    assert.throws(
      () => told.run(erases(ann)),
      (error) => isProblem(error, 'grants/held') && error.message.includes(String(placed?.id)),
    );
    told.run({ kind: 'lift-hold', hold: HoldId.parse(placed?.id), reason: 'settled' });
    assert.equal(told.run(erases(ann)).length, 1);
    assert.equal(told.organisation.privacy.holds.size, 0);
  });

test('a hold that does not stand cannot be lifted', () => {
  const told = story();
  const [placed] = told.run(holds({ subject: ann }));
  const lift: Command = { kind: 'lift-hold', hold: HoldId.parse(placed?.id), reason: 'settled' };
  told.run(lift);
  assert.throws(
    () => told.run(lift),
    (error) => isProblem(error, 'grants/unknown-hold'),
  );
});
