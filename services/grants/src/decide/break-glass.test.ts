import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BreakGlassId, isProblem, type ProblemCode } from '@postern/schemas';
import type { Command } from './command.ts';
import { by, defines, gives, grantOf, hours, joins, minutes, moving, role } from './life-story.ts';

type Told = ReturnType<typeof moving>;
const refuses = (told: Told, command: Command, code: ProblemCode): void =>
  assert.throws(
    () => told.run(command),
    (error) => isProblem(error, code),
  );
const breaks = (name: string, more: object = {}): Command => ({
  kind: 'open-break-glass',
  role: role('repair'),
  deciding: by(name),
  reason: 'payroll is down',
  ...more,
});
const reviews = (use: BreakGlassId, name: string, verdict: 'justified' | 'unjustified' = 'justified'): Command => ({
  kind: 'review-break-glass',
  use,
  deciding: by(name),
  verdict,
  reason: 'looked at',
});
const office = (rules: object = {}, ...more: Command[]): Told =>
  moving(
    joins('boss'),
    joins('ann', { manager: 'user:boss' }),
    joins('eve'),
    defines('on-call'),
    gives('ann', 'on-call'),
    defines('repair', {
      breakGlass: { for: ['role:on-call'], maxDuration: '30m', reviewers: ['manager', 'role:on-call'] },
      ...rules,
    }),
    ...more,
  );
const opened = (told: Told, name = 'ann'): BreakGlassId => {
  const [fact, grant] = told.run(breaks(name));
  assert.equal(fact?.type, 'postern.breakglass.opened.v1');
  assert.equal(grant?.appendid, fact.appendid, 'the use and the grant are one append');
  return fact.data.use;
};

test('it gives the role at once, for the configured time and no longer, to whom the role names alone', () => {
  const told = office();
  opened(told);
  const grant = told.organisation.grants.get(grantOf(told, 'ann', 'repair'));
  assert.deepEqual(
    [grant?.origin, grant?.conditions?.until, grant?.reason],
    ['break-glass', '2026-11-24T08:30:00.000Z', 'payroll is down'],
  );
  refuses(told, breaks('ann'), 'grants/already-held');
  refuses(told, breaks('eve'), 'grants/no-break-glass');
  refuses(office(), breaks('ann', { duration: '31m' }), 'grants/too-long');
  refuses(office(), breaks('ann', { deciding: by('ann', { through: ['workload:agent'] }) }), 'grants/no-break-glass');
  refuses(office({ breakGlass: undefined }), breaks('ann'), 'grants/no-break-glass');
});

test('whoever used it is on the list until somebody else has looked at it, however long it is over', () => {
  const told = office();
  const use = opened(told);
  told.later(hours(1));
  told.run({ kind: 'expire-grants' });
  const [closed] = told.run({ kind: 'settle-break-glass' });
  assert.partialDeepStrictEqual(closed?.data, { use, because: 'ran-out' });
  assert.deepEqual(told.run({ kind: 'settle-break-glass' }), []);
  // Ann is on call, and so among the reviewers; but not of herself.
  refuses(told, reviews(use, 'ann'), 'grants/oneself');
  refuses(told, reviews(use, 'eve'), 'grants/not-your-decision');
  assert.equal(told.organisation.life.breakGlass.unreviewed().length, 1);
  told.run(reviews(use, 'boss'));
  assert.equal(told.organisation.life.breakGlass.unreviewed().length, 0);
  refuses(told, reviews(use, 'boss'), 'grants/unknown-break-glass');
});

test('it is given back early by whoever took it, and ended by whoever finds it unjustified', () => {
  const told = office();
  const first = opened(told);
  refuses(told, { kind: 'close-break-glass', use: first, by: by('eve').principal }, 'grants/not-your-decision');
  told.run({ kind: 'close-break-glass', use: first, by: by('ann').principal });
  assert.equal(told.organisation.grants.size, 1, 'only the role on-call is left');
  told.later(minutes(1));
  const second = opened(told);
  told.run(reviews(second, 'boss', 'unjustified'));
  assert.equal(told.organisation.grants.size, 1);
  assert.deepEqual(
    told.organisation.life.breakGlass.unreviewed().map(({ id }) => id),
    [first],
  );
});

test('an emergency is no reason to hold both halves of what is kept separate', () => {
  const told = office({ separateFrom: ['approve'] }, defines('approve'), gives('ann', 'approve'));
  refuses(told, breaks('ann'), 'grants/separation-of-duties');
});
