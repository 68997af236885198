import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CredentialId, isProblem, type ProblemCode, type RequestId } from '@postern/schemas';
import type { Command } from './command.ts';
import { by, days, defines, gives, grantOf, hours, joins, minutes, moving, person, role } from './life-story.ts';

type Told = ReturnType<typeof moving>;
const refuses = (told: Told, command: Command, code: ProblemCode): void =>
  assert.throws(
    () => told.run(command),
    (error) => {
      assert.ok(isProblem(error), String(error));
      assert.equal(error.code, code, error.message);
      return true;
    },
  );
const asks = (subject: string, what: string, more: object = {}): Command => ({
  kind: 'ask-for-role',
  subject: person(subject),
  requester: person(subject),
  role: role(what),
  reason: 'month end',
  ...more,
});
const asked = (told: Told, subject: string, what: string, more: object = {}): RequestId => {
  const [fact] = told.run(asks(subject, what, more));
  assert.equal(fact?.type, 'postern.grant.requested.v1');
  return fact.data.request;
};
const approves = (request: RequestId, name: string, more: object = {}): Command => ({
  kind: 'approve-request',
  request,
  deciding: by(name, more),
});
const types = (facts: ReturnType<Told['run']>) => facts.map(({ type }) => type.replace(/^postern\.|\.v1$/g, ''));

const people = [joins('boss'), joins('ann', { manager: 'user:boss' }), joins('sue'), joins('sam'), joins('eve')];
const office = (rules: object, ...more: Command[]): Told =>
  moving(...people, defines('security'), gives('sue', 'security'), defines('pay', rules), ...more);

test('a grant names the request and its approvers, and ends when the asked time is over', () => {
  const told = office({ approvers: ['manager', 'role:security'], maxDuration: '8h' });
  const request = asked(told, 'ann', 'pay', { duration: '2h', ticket: 'T-1' });
  told.later(minutes(30));
  const facts = told.run(approves(request, 'boss'));
  assert.deepEqual(types(facts), ['grant.approved', 'grant.issued']);
  assert.partialDeepStrictEqual(facts[1]?.data, {
    request,
    approvals: [{ by: 'user:boss', as: 'manager' }],
    reason: 'month end',
    ticket: 'T-1',
    conditions: { until: '2026-11-24T10:30:00.000Z' },
  });
  assert.equal(facts[0]?.appendid, facts[1]?.appendid);
});

test('whoever says no time is given what the role allows at most, and a role that says none is given for a month', () => {
  const told = office({ approvers: ['manager'], maxDuration: '8h' }, defines('wide', { approvers: ['manager'] }));
  const until = (what: string) => {
    told.run(approves(asked(told, 'ann', what), 'boss'));
    return told.organisation.grants.get(grantOf(told, 'ann', what))?.conditions?.until;
  };
  assert.equal(until('pay'), '2026-11-24T16:00:00.000Z');
  assert.equal(until('wide'), '2026-12-24T08:00:00.000Z');
  refuses(
    office({ approvers: ['manager'], maxDuration: '8h' }),
    asks('ann', 'pay', { duration: '9h' }),
    'grants/too-long',
  );
});

test('nobody approves for themselves: not as an approver, not for whom they asked, not by an agent, not with a key that they were shown', () => {
  const told = office({ approvers: ['manager', 'role:security'] }, gives('ann', 'security'));
  const request = asked(told, 'ann', 'pay');
  refuses(told, approves(request, 'ann'), 'grants/oneself');
  refuses(told, approves(request, 'boss', { through: ['user:ann'] }), 'grants/not-your-decision');
  refuses(told, approves(request, 'boss', { through: ['workload:agent'] }), 'grants/not-your-decision');
  refuses(
    told,
    { kind: 'approve-request', request, deciding: { principal: 'workload:ci' as never, through: [] } },
    'grants/not-your-decision',
  );
  const credential = 'credential:k1' as CredentialId;
  const issued: Command = {
    kind: 'issue-key',
    credential,
    owner: person('boss'),
    digest: 'x'.repeat(43),
    roles: [role('security')],
    reason: 'test',
  };
  told.by('ann');
  told.run(issued);
  refuses(told, approves(request, 'boss', { credential }), 'grants/oneself');
  // Asked for by sue for sam: she is of security, and may not say yes to her own question.
  const other = asked(told, 'sam', 'pay', { requester: person('sue') });
  refuses(told, approves(other, 'sue'), 'grants/oneself');
  refuses(told, asks('sam', 'pay', { requester: person('eve') }), 'grants/not-your-decision');
  refuses(told, asks('nobody', 'pay', { requester: person('eve') }), 'grants/not-your-decision');
  assert.deepEqual(types(told.run(approves(other, 'ann'))), ['grant.approved', 'grant.issued']);
});

test('n of m are n different people, and all of a list are a person for each entry', () => {
  const two = office({ approvers: ['manager', 'role:security', 'owner'], approvals: 2, owner: 'user:sam' });
  const request = asked(two, 'ann', 'pay');
  assert.deepEqual(types(two.run(approves(request, 'boss'))), ['grant.approved']);
  assert.deepEqual(two.run(approves(request, 'boss')), [], 'the same person again is no second one');
  refuses(two, approves(request, 'eve'), 'grants/not-your-decision');
  const facts = two.run(approves(request, 'sam'));
  assert.deepEqual(types(facts), ['grant.approved', 'grant.issued']);
  assert.partialDeepStrictEqual(facts[1]?.data, {
    approvals: [
      { by: 'user:boss', as: 'manager' },
      { by: 'user:sam', as: 'owner' },
    ],
  });
  // The boss is manager and of security at once, and counts as one of them.
  const all = office({ approvers: ['manager', 'role:security'], approvals: 'all' }, gives('boss', 'security'));
  const other = asked(all, 'ann', 'pay');
  assert.deepEqual(types(all.run(approves(other, 'boss'))), ['grant.approved']);
  assert.deepEqual(types(all.run(approves(other, 'sue'))), ['grant.approved', 'grant.issued']);
});

test('an approval counts only while its giver still holds the office, under the rule as it is now', () => {
  const told = office(
    { approvers: ['role:security'], approvals: 2 },
    gives('sam', 'security'),
    gives('eve', 'security'),
  );
  const request = asked(told, 'ann', 'pay');
  told.run(approves(request, 'sue'));
  told.run({ kind: 'revoke-grant', grant: grantOf(told, 'sue', 'security'), reason: 'moved on' });
  assert.deepEqual(types(told.run(approves(request, 'sam'))), ['grant.approved']);
  told.run({ kind: 'leave', principal: person('sam') });
  assert.deepEqual(types(told.run(approves(request, 'eve'))), ['grant.approved']);
  assert.equal(told.organisation.life.requests.get(request)?.state, 'open');
});

test('what nobody approves, or nobody could approve, cannot be asked for', () => {
  refuses(office({}), asks('ann', 'pay'), 'grants/not-requestable');
  refuses(office({ approvers: ['manager'] }), asks('sam', 'pay'), 'grants/no-approver');
  refuses(office({ approvers: ['role:security'], approvals: 2 }), asks('ann', 'pay'), 'grants/no-approver');
  refuses(office({ approvers: ['role:security'] }), asks('sue', 'pay'), 'grants/no-approver');
  refuses(office({ approvers: ['manager'] }, gives('ann', 'pay')), asks('ann', 'pay'), 'grants/already-held');
  const told = office({ approvers: ['manager'] });
  asked(told, 'ann', 'pay');
  refuses(told, asks('ann', 'pay'), 'grants/already-asked');
});

test('duties are kept separate at the question and again at each yes', () => {
  const separate = [defines('check', { separateFrom: ['pay'], approvers: ['manager'] })];
  refuses(
    office({ approvers: ['manager'] }, ...separate, gives('ann', 'check')),
    asks('ann', 'pay'),
    'grants/separation-of-duties',
  );
  const told = office({ approvers: ['manager'] }, ...separate);
  const [pay, check] = [asked(told, 'ann', 'pay'), asked(told, 'ann', 'check')];
  told.run(approves(pay, 'boss'));
  refuses(told, approves(check, 'boss'), 'grants/separation-of-duties');
  assert.equal(
    told.organisation.life.requests.get(check)?.state,
    'open',
    'it may be answered once nothing stands against it',
  );
});

test('a request ends denied, withdrawn, unanswered, or with its subject, and then nothing is given', () => {
  const told = office({ approvers: ['manager'] });
  const denied = asked(told, 'ann', 'pay');
  told.run({ kind: 'deny-request', request: denied, deciding: by('boss'), reason: 'not now' });
  refuses(told, approves(denied, 'boss'), 'grants/request-closed');
  const withdrawn = asked(told, 'ann', 'pay');
  refuses(told, { kind: 'withdraw-request', request: withdrawn, by: person('eve') }, 'grants/not-your-decision');
  told.run({ kind: 'withdraw-request', request: withdrawn, by: person('ann') });
  refuses(told, approves(withdrawn, 'boss'), 'grants/request-closed');
  const late = asked(told, 'ann', 'pay');
  assert.deepEqual(told.run({ kind: 'lapse-requests' }), []);
  told.later(days(7));
  refuses(told, approves(late, 'boss'), 'grants/request-closed');
  assert.deepEqual(types(told.run({ kind: 'lapse-requests' })), ['grant.unanswered']);
  assert.equal(told.organisation.life.requests.get(late)?.state, 'unanswered');
  const left = asked(told, 'ann', 'pay');
  told.run({ kind: 'leave', principal: person('ann') });
  refuses(told, approves(left, 'boss'), 'grants/request-closed');
});

test('an extension is approved like the grant before it, goes on where that ends, and takes its place in one append', () => {
  const told = office({ approvers: ['manager'], maxDuration: '8h' });
  told.run(approves(asked(told, 'ann', 'pay', { duration: '2h' }), 'boss'));
  const first = grantOf(told, 'ann', 'pay');
  told.later(hours(1));
  const request = asked(told, 'ann', 'pay', { extends: first, duration: '3h' });
  assert.equal(told.organisation.life.requests.get(request)?.answerBy, '2026-11-24T10:00:00.000Z', 'before it ends');
  const facts = told.run(approves(request, 'boss'));
  assert.deepEqual(types(facts), ['grant.approved', 'grant.issued', 'grant.revoked']);
  assert.partialDeepStrictEqual(facts[1]?.data, { conditions: { until: '2026-11-24T13:00:00.000Z' }, replaces: first });
  // Never longer from now than the role allows.
  told.run(approves(asked(told, 'ann', 'pay', { extends: grantOf(told, 'ann', 'pay'), duration: '8h' }), 'boss'));
  const last = told.organisation.grants.get(grantOf(told, 'ann', 'pay'));
  assert.equal(last?.conditions?.until, '2026-11-24T17:00:00.000Z');
  told.later(hours(8));
  refuses(told, asks('ann', 'pay', { extends: last?.id }), 'grants/not-to-extend');
  refuses(told, asks('sam', 'pay', { extends: last?.id }), 'grants/unknown-grant');
});
