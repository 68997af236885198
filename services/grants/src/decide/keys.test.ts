import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CredentialId } from '@postern/schemas';
import type { Command } from './command.ts';
import { days, defines, gives, hours, joins, moving, person, role } from './life-story.ts';

const [first, second, third] = ['credential:one', 'credential:two', 'credential:three'] as CredentialId[] as [
  CredentialId,
  CredentialId,
  CredentialId,
];
const issues = (until?: string): Command => ({
  kind: 'issue-key',
  credential: first,
  owner: person('ann'),
  digest: 'a'.repeat(43),
  roles: [role('pay')],
  until,
  reason: 'test',
});
const rotates = (overlapMs: number, credential = first, successor = second): Command => ({
  kind: 'rotate-key',
  credential,
  successor,
  digest: (successor === second ? 'b' : 'c').repeat(43),
  overlapMs,
  reason: 'every quarter',
});
const office = (until?: string) => moving(joins('ann'), defines('pay'), gives('ann', 'pay'), issues(until));

test('after a rotation both keys work until the overlap ends, and the new one may do what the old one may', () => {
  const told = office();
  told.run(rotates(hours(1)));
  const old = told.organisation.credentialsByDigest.get('a'.repeat(43));
  assert.deepEqual([old?.until, old?.successor], ['2026-11-24T09:00:00.000Z', second]);
  assert.equal(told.organisation.credentials.get(second)?.until, undefined);
  assert.deepEqual(
    told.organisation.grantsOf(second).map((grant) => grant.role),
    ['pay'],
  );
  assert.throws(() => told.run(rotates(hours(1), first, third)), /successor/);
  assert.deepEqual(told.run({ kind: 'expire-keys' }), []);
  told.later(hours(1));
  assert.equal(told.run({ kind: 'expire-keys' }).length, 1);
  assert.deepEqual([...told.organisation.credentials.keys()], [second]);
  assert.deepEqual(told.organisation.grantsOf(first), []);
});

test('the overlap never makes a key last longer, and its successor lasts as long as it was given for', () => {
  const told = office('2026-11-24T10:00:00Z');
  told.later(hours(1));
  told.run(rotates(hours(24)));
  assert.equal(told.organisation.credentials.get(first)?.until, '2026-11-24T10:00:00.000Z');
  assert.equal(told.organisation.credentials.get(second)?.until, '2026-11-24T11:00:00.000Z');
  told.later(hours(1));
  assert.throws(() => told.run(rotates(0)), /not live|successor/, 'a key that has run out is not rotated back to life');
});

test('when the owner leaves, the key stops, and so does the one that follows it', () => {
  const told = office();
  told.run(rotates(hours(24)));
  told.run({ kind: 'leave', principal: person('ann') });
  assert.deepEqual([told.organisation.credentials.size, told.organisation.credentialsByDigest.size], [0, 0]);
});

test('that a key is about to end is said once, a week ahead or a quarter of its life, and not of one that another follows', () => {
  const warn: Command = { kind: 'warn-of-keys' };
  const type = 'postern.credential.expiring.v1';
  const saysOf = (until: string | undefined, afterMs: number) => {
    const told = office(until);
    told.later(afterMs);
    return [told.run(warn), told.run(warn)].map((facts) => facts.map((fact) => fact.type));
  };
  assert.deepEqual(saysOf('2027-02-24T08:00:00Z', days(80)), [[], []]);
  assert.deepEqual(saysOf('2027-02-24T08:00:00Z', days(86)), [[type], []]);
  assert.deepEqual(saysOf('2026-12-04T08:00:00Z', days(7)), [[], []], 'ten days: two and a half ahead');
  assert.deepEqual(saysOf('2026-12-04T08:00:00Z', days(8)), [[type], []]);
  assert.deepEqual(saysOf('2026-11-25T08:00:00Z', hours(23)), [[], []], 'made for a day');
  assert.deepEqual(saysOf(undefined, days(800)), [[], []]);
  // The successor has as long a life of its own, and is spoken of in its turn.
  const rotated = office('2026-12-04T08:00:00Z');
  rotated.later(days(5));
  rotated.run(rotates(days(4)));
  rotated.later(days(3));
  assert.deepEqual(
    rotated.run(warn).map(({ data }) => (data as { credential: string }).credential),
    [],
  );
});
