import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupId, type RoleName } from '@postern/schemas';
import type { Command } from './command.ts';
import { areSeparate, rolesHeldBy } from './duties.ts';
import { defines, gives, grantOf, joins, moving, person, role } from './life-story.ts';

const moves = (name: string, attributes: object): Command => ({ kind: 'move', principal: person(name), attributes });
const pay = group('pay');
function group(name: string): GroupId {
  return GroupId.parse(`group:${name}`);
}
const joinsGroup = (name: string): Command => ({ kind: 'change-group', group: pay, add: [person(name)], remove: [] });

test('of a mover, asked at every sequence of the log: never a moment with neither role, nor with both', () => {
  const told = moving(
    defines('finance-clerk', { birthright: { department: 'finance' }, separateFrom: ['hr-clerk'] }),
    defines('hr-clerk', { birthright: { department: 'hr' } }),
    joins('ann', { department: 'finance' }),
  );
  // Nobody stands within an append: it is admitted whole, projected whole and applied whole. So every sequence at which one can be asked
  // is the last of an append.
  const asked: string[] = [];
  for (const department of ['hr', 'finance', 'hr', 'finance']) {
    const facts = told.run(moves('ann', { department }));
    assert.equal(new Set(facts.map(({ appendid }) => appendid)).size, 1, 'one append');
    asked.push([...rolesHeldBy(told.organisation, person('ann'))].join(' and '));
  }
  assert.deepEqual(asked, ['hr-clerk', 'finance-clerk', 'hr-clerk', 'finance-clerk']);
});

test('what a mover brought along is on the list until somebody has looked at it; birthrights and newer grants are not', () => {
  const told = moving(
    defines('clerk', { birthright: { department: 'finance' } }),
    defines('extra'),
    defines('later'),
    joins('ann', { department: 'finance' }),
    gives('ann', 'extra'),
  );
  const opens: Command = {
    kind: 'open-review',
    title: 'movers',
    scope: { movers: true },
    reviewer: 'user:eve',
    escalateTo: 'user:eve',
    due: '2026-12-01T00:00:00Z',
    undecided: 'revoke',
  };
  assert.throws(() => told.run(opens), /nothing/);
  told.run(moves('ann', { department: 'finance', location: 'Riga' }));
  told.run(gives('ann', 'later'));
  told.run(joins('eve'));
  const [opened] = told.run(opens);
  assert.equal(opened?.type, 'postern.review.opened.v1');
  const review = told.organisation.life.reviews.get(opened.data.review);
  assert.deepEqual([...(review?.items.keys() ?? [])], [grantOf(told, 'ann', 'extra')]);
  told.run({
    kind: 'decide-review',
    review: opened.data.review,
    decisions: [{ grant: grantOf(told, 'ann', 'extra'), decision: 'keep' }],
    deciding: { principal: person('eve'), through: [] },
    reason: 'still hers',
  });
  assert.throws(() => told.run(opens), /nothing/);
  told.run(moves('ann', { location: 'Oslo' }));
  assert.equal(told.run(opens).length, 1, 'another move is another look');
});

test("what a mover may not hold together with the new job's role ends in the same append", () => {
  const told = moving(
    defines('approver', { birthright: { department: 'audit' }, separateFrom: ['clerk'] }),
    defines('clerk'),
    joins('ann', { department: 'finance' }),
    gives('ann', 'clerk'),
  );
  const facts = told.run(moves('ann', { department: 'audit' }));
  assert.deepEqual(
    facts.map(({ type }) => type.replace(/^postern\.|\.v1$/g, '')),
    ['principal.moved', 'grant.revoked', 'grant.issued'],
  );
  assert.deepEqual([...rolesHeldBy(told.organisation, person('ann'))], ['approver']);
});

test('a birthright that a group stands against is withheld, said so, and given once nothing stands against it', () => {
  const told = moving(
    defines('approver', { birthright: { department: 'audit' }, separateFrom: ['clerk'] }),
    defines('clerk'),
    joins('ann', { department: 'finance' }),
    { kind: 'change-group', group: pay, add: [], remove: [] },
    { kind: 'issue-grant', subject: `${pay}#member` as never, role: role('clerk'), reason: 'the team' },
    joinsGroup('ann'),
  );
  told.run(moves('ann', { department: 'audit' }));
  assert.deepEqual([...rolesHeldBy(told.organisation, person('ann'))], ['clerk']);
  assert.equal([...told.organisation.life.allWithheld()].length, 1);
  assert.deepEqual(told.run({ kind: 'restore-birthrights' }), []);
  told.run({ kind: 'change-group', group: pay, add: [], remove: [person('ann')] });
  assert.equal(told.run({ kind: 'restore-birthrights' }).length, 1);
  assert.deepEqual([...rolesHeldBy(told.organisation, person('ann'))], ['approver']);
  assert.equal([...told.organisation.life.allWithheld()].length, 0);
  assert.throws(() => told.run(joinsGroup('ann')), /may not be held together/, 'and the group is closed to her now');
});

test('a birthright that was revoked does not come back with the next look at the attributes, but with another job', () => {
  const told = moving(
    defines('clerk', { birthright: { department: 'finance' } }),
    joins('ann', { department: 'finance', location: 'Riga' }),
  );
  told.run({ kind: 'revoke-grant', grant: grantOf(told, 'ann', 'clerk'), reason: 'not for her' });
  const holds = (): RoleName[] => [...rolesHeldBy(told.organisation, person('ann'))];
  told.run(defines('clerk', { birthright: { department: 'finance' }, description: 'as it was' }));
  told.run(defines('clerk', { birthright: { department: 'finance' }, description: 'as it was' }));
  told.run(moves('ann', { location: 'Oslo' }));
  told.run({ kind: 'restore-birthrights' });
  assert.deepEqual(holds(), []);
  told.run(moves('ann', { department: 'hr' }));
  told.run(moves('ann', { department: 'finance' }));
  assert.deepEqual(holds(), ['clerk']);
});

test('two birthrights that are kept separate and published at once are not both given', () => {
  const told = moving(joins('ann', { department: 'finance' }));
  const rules = (other: string) => ({
    allows: [{ service: 'payroll', access: 'read' }],
    birthright: { department: 'finance' },
    separateFrom: [other],
  });
  told.run({
    kind: 'publish-model',
    schema: 'definition user {}\n',
    services: [],
    roles: new Map([
      [role('enter'), rules('check')],
      [role('check'), rules('enter')],
    ]) as never,
    retire: [],
    reason: 'test',
  });
  const held = [...rolesHeldBy(told.organisation, person('ann'))];
  assert.deepEqual(held, ['enter']);
  assert.ok(areSeparate(told.organisation, role('enter'), role('check')));
});
