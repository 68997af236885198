import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GrantId, isProblem, type ProblemCode, type ReviewId, type Sequence } from '@postern/schemas';
import type { Command } from './command.ts';
import { by, days, defines, gives, grantOf, joins, moving, person, role } from './life-story.ts';

type Told = ReturnType<typeof moving>;
const refuses = (told: Told, command: Command, code: ProblemCode): void =>
  assert.throws(
    () => told.run(command),
    (error) => isProblem(error, code),
  );
const office = (): Told =>
  moving(
    joins('boss'),
    joins('top'),
    joins('ann', { manager: 'user:boss' }),
    joins('bob', { manager: 'user:boss' }),
    joins('cat'),
    defines('pay', { owner: 'user:ann' }),
    defines('clerk', { birthright: { department: 'none' } }),
    gives('ann', 'pay'),
    gives('bob', 'pay'),
    gives('cat', 'pay'),
  );
const opens = (told: Told, more: object = {}): ReviewId => {
  const [fact] = told.run({
    kind: 'open-review',
    title: 'the year',
    scope: {},
    reviewer: 'manager',
    escalateTo: 'user:top',
    due: '2026-12-02T08:00:00Z',
    undecided: 'revoke',
    ...more,
  });
  assert.equal(fact?.type, 'postern.review.opened.v1');
  return fact.data.review;
};
const decides = (
  review: ReviewId,
  name: string,
  grant: GrantId,
  decision: 'keep' | 'revoke' | 'shorten',
  until?: string,
): Command => ({
  kind: 'decide-review',
  review,
  decisions: [{ grant, decision, until }],
  deciding: by(name),
  reason: 'as it should be',
});
const types = (facts: ReturnType<Told['run']>) => facts.map(({ type }) => type.replace(/^postern\.|\.v1$/g, ''));

test('a campaign is about what was live when it was opened, whatever comes after', () => {
  const told = office();
  const at = told.organisation.sequence;
  const review = opens(told);
  const bobs = grantOf(told, 'bob', 'pay');
  told.run(gives('bob', 'pay'));
  told.run({ kind: 'revoke-grant', grant: bobs, reason: 'meanwhile' });
  const found = told.organisation.life.reviews.get(review);
  assert.equal(found?.frozenAt, at);
  assert.equal(found?.items.size, 3);
  assert.ok(found?.items.has(bobs), 'what ended meanwhile is shown as it was');
  const closed = told.run({ kind: 'close-review', review, reason: 'now' }).at(-1);
  assert.partialDeepStrictEqual(closed?.data, { kept: 0, revoked: 2, gone: 1 });
});

test('each item is for the manager, where there is none for whoever the campaign falls back on, and never for its holder', () => {
  const told = office();
  const review = opens(told);
  refuses(told, decides(review, 'top', grantOf(told, 'ann', 'pay'), 'keep'), 'grants/not-your-decision');
  refuses(told, decides(review, 'ann', grantOf(told, 'ann', 'pay'), 'keep'), 'grants/oneself');
  told.run(decides(review, 'boss', grantOf(told, 'ann', 'pay'), 'keep'));
  told.run(decides(review, 'top', grantOf(told, 'cat', 'pay'), 'keep'));
  refuses(told, decides(review, 'boss', grantOf(told, 'ann', 'pay'), 'revoke'), 'grants/not-under-review');
  // Ann owns the role and would be her own reviewer.
  const owners = opens(told, { reviewer: 'owner' });
  refuses(told, decides(owners, 'ann', grantOf(told, 'ann', 'pay'), 'keep'), 'grants/oneself');
  told.run(decides(owners, 'ann', grantOf(told, 'bob', 'pay'), 'keep'));
  told.run(decides(owners, 'top', grantOf(told, 'ann', 'pay'), 'keep'));
});

test('a revocation names its campaign, and is linked to the fact that it holds everywhere', () => {
  const told = office();
  const review = opens(told);
  const grant = grantOf(told, 'bob', 'pay');
  const facts = told.run(decides(review, 'boss', grant, 'revoke'));
  assert.deepEqual(types(facts), ['review.decided', 'grant.revoked']);
  assert.partialDeepStrictEqual(facts[1]?.data, { grant, review, reason: 'as it should be' });
  assert.equal(told.organisation.grants.has(grant), false);
  const item = () => told.organisation.life.reviews.get(review)?.items.get(grant);
  assert.equal(item()?.revocation?.fact, facts[1]?.id);
  const revokedAt = Number(facts[1]?.sequence) as Sequence;
  told.run({ kind: 'record-enforcement', reached: (revokedAt - 1) as Sequence, proxies: 2, lapsed: [] });
  assert.equal(item()?.revocation?.enforced, undefined);
  const [enforced] = told.run({ kind: 'record-enforcement', reached: revokedAt, proxies: 2, lapsed: [] });
  assert.deepEqual(item()?.revocation?.enforced?.at, Number(enforced?.sequence));
});

test('what is shortened ends earlier, takes the place of what it was, and keeps how it came about', () => {
  const told = office();
  const review = opens(told);
  const grant = grantOf(told, 'bob', 'pay');
  refuses(told, decides(review, 'boss', grant, 'shorten', '2026-11-24T07:00:00Z'), 'grants/bad-request');
  const facts = told.run(decides(review, 'boss', grant, 'shorten', '2026-11-30T08:00:00Z'));
  assert.deepEqual(types(facts), ['review.decided', 'grant.issued', 'grant.revoked']);
  assert.partialDeepStrictEqual(facts[1]?.data, {
    replaces: grant,
    reason: 'test',
    conditions: { until: '2026-11-30T08:00:00Z' },
  });
});

test('many are decided at once or none of them', () => {
  const told = office();
  const review = opens(told);
  const both = [grantOf(told, 'bob', 'pay'), grantOf(told, 'cat', 'pay')];
  const bulk = (name: string): Command => ({
    kind: 'decide-review',
    review,
    decisions: both.map((grant) => ({ grant, decision: 'revoke' as const })),
    deciding: by(name),
    reason: 'bulk',
  });
  refuses(told, bulk('boss'), 'grants/not-your-decision');
  assert.equal(told.organisation.grants.size, 3);
});

test('time reminds each reviewer once, then escalates, then closes by the declared policy', () => {
  const told = office();
  const review = opens(told);
  const drive = () => types(told.run({ kind: 'drive-reviews' }));
  assert.deepEqual(drive(), []);
  told.later(days(4));
  assert.deepEqual(drive(), ['review.reminded', 'review.reminded'], 'the boss, and top for cat');
  assert.deepEqual(drive(), []);
  told.later(days(2));
  assert.deepEqual(drive(), ['review.escalated']);
  assert.deepEqual(drive(), []);
  told.run(decides(review, 'top', grantOf(told, 'ann', 'pay'), 'keep'));
  told.later(days(2));
  assert.deepEqual(drive(), ['review.decided', 'grant.revoked', 'review.decided', 'grant.revoked', 'review.closed']);
  assert.deepEqual(drive(), []);
  assert.deepEqual(
    [...told.organisation.grants.values()].map(({ subject }) => subject),
    ['user:ann'],
  );
  refuses(told, decides(review, 'top', grantOf(told, 'ann', 'pay'), 'revoke'), 'grants/review-closed');
  const keeping = office();
  opens(keeping, { undecided: 'keep' });
  keeping.later(days(8));
  keeping.run({ kind: 'drive-reviews' });
  assert.equal(keeping.organisation.grants.size, 3);
});

test('a campaign larger than one append is closed in steps, each item once', () => {
  const told = moving(joins('top'), defines('pay'));
  for (let n = 0; n < 900; n++) {
    told.run(joins(`p${n}`));
    told.run(gives(`p${n}`, 'pay'));
  }
  const review = opens(told, { only: new Set(told.organisation.grants.keys()) });
  assert.equal(told.organisation.life.reviews.get(review)?.items.size, 900);
  told.later(days(8));
  let steps = 0;
  while (told.run({ kind: 'drive-reviews' }).length > 0) steps++;
  assert.deepEqual([steps, told.organisation.grants.size], [3, 0]);
  assert.ok(told.organisation.life.reviews.get(review)?.closed);
});

test('a role or a manager or only what movers brought along may be the scope', () => {
  const told = office();
  const sizeOf = (scope: object) => told.organisation.life.reviews.get(opens(told, { scope }))?.items.size;
  assert.equal(sizeOf({ role: 'pay' }), 3);
  assert.equal(sizeOf({ manager: 'user:boss' }), 2);
  assert.equal(sizeOf({ service: 'payroll', manager: 'user:boss' }), 2);
  assert.throws(() => opens(told, { scope: { service: 'wiki' } }), /nothing/);
  assert.throws(() => opens(told, { scope: { role: role('clerk') } }), /nothing/);
  told.run({ kind: 'move', principal: person('ann'), attributes: { department: 'hr' } });
  assert.equal(sizeOf({ movers: true }), 1);
});
