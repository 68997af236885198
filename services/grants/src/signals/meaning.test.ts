import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrincipalId, Transmitter } from '@postern/schemas';
import { meaningOf } from './meaning.ts';
import { resolveSubject } from './subjects.ts';
import type { SecurityEvent, SetSubject } from './verify.ts';

const now = Date.parse('2026-11-24T08:00:00.500Z');
const transmitter = Transmitter.parse({
  name: 'idp',
  issuer: 'https://idp.test',
  audience: ['us'],
  subjects: { issuers: ['https://login.test'] },
});
const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const meaning = (type: string, event: Record<string, unknown> = {}, more: Partial<SecurityEvent> = {}) =>
  meaningOf(
    {
      transmitter,
      jti: '1',
      issuedAt: Date.parse('2026-11-24T08:00:00Z'),
      type,
      event,
      subject: undefined,
      happenedAt: Date.parse('2026-11-24T07:59:30Z'),
      ...more,
    },
    now,
  );

test('what takes a credential or an assurance away ends the tokens from before it, what adds one does not', () => {
  const kinds = (
    [
      ['session-revoked', {}],
      ['credential-change', { change_type: 'revoke' }],
      ['credential-change', { change_type: 'delete' }],
      ['credential-change', { change_type: 'update' }],
      ['credential-change', { change_type: 'create' }],
      ['assurance-level-change', { change_direction: 'decrease' }],
      ['assurance-level-change', {}],
      ['assurance-level-change', { change_direction: 'increase' }],
      ['token-claims-change', { claims: { acr: 'low' } }],
      ['token-claims-change', { claims: { nickname: 'al' } }],
      ['device-compliance-change', { current_status: 'not-compliant' }],
      ['device-compliance-change', { current_status: 'compliant' }],
      ['risk-level-change', { current_level: 'HIGH' }],
      ['risk-level-change', { current_level: 'LOW' }],
      ['session-presented', {}],
      ['never-heard-of', {}],
    ] as const
  ).map(([name, event]) => meaning(`${caep}${name}`, event).kind);
  const [ends, nothing] = ['end-sessions', 'nothing'];
  assert.deepEqual(kinds, [
    ...[ends, ends, ends, ends, nothing],
    ...[ends, ends, nothing],
    ...[ends, nothing],
    ...[ends, nothing],
    ...[ends, nothing],
    ...[nothing, nothing],
  ]);
});

test('accounts leave and return; an identifier that is recycled means nobody any more', () => {
  assert.deepEqual(
    [
      'account-disabled',
      'account-purged',
      'account-enabled',
      'identifier-recycled',
      'credential-compromise',
      'opt-in',
    ].map((name) => meaning(`${risc}${name}`).kind),
    ['leave', 'leave', 'return', 'recycled', 'end-sessions', 'nothing'],
  );
});

test('tokens count by whole seconds: the second of the event is ended with those before it, and nothing beyond our own clock', () => {
  const before = (more: Partial<SecurityEvent>) => {
    const found = meaning(`${caep}session-revoked`, {}, more);
    return found.kind === 'end-sessions' ? new Date(found.before).toISOString() : found.kind;
  };
  assert.equal(before({}), '2026-11-24T07:59:31.000Z');
  assert.equal(before({ happenedAt: undefined }), '2026-11-24T08:00:01.000Z');
  assert.equal(before({ happenedAt: Date.parse('2099-01-01T00:00:00Z') }), '2026-11-24T08:00:01.500Z');
});

const accounts = (account: string) =>
  account === 'ann@example.com'
    ? PrincipalId.parse('user:ann')
    : account === 'bob@example.com'
      ? PrincipalId.parse('user:bob')
      : undefined;
const who = (subject: SetSubject | undefined, of = transmitter) => {
  const found = resolveSubject(subject, of, accounts);
  return found.outcome === 'resolved' ? found.principal : found.why;
};
const issSub = (sub: string, iss = 'https://login.test') => ({ format: 'iss_sub', iss, sub });

test('an id of a declared issuer is a principal; another issuer’s is nobody, however it reads', () => {
  assert.equal(who(issSub('ann')), 'user:ann');
  assert.equal(who(issSub('Ann Lee')), 'user:Ann=20Lee');
  assert.match(who(issSub('ann', 'https://evil.test')), /mean nobody here/);
  assert.match(who({ format: 'iss_sub', iss: 'https://login.test' }), /missing/);
});

test('opaque ids, addresses and accounts mean somebody only where that is declared', () => {
  assert.match(who({ format: 'opaque', id: 'ann' }), /mean nobody here/);
  const opaque = { ...transmitter, subjects: { ...transmitter.subjects, opaque: true } };
  assert.equal(who({ format: 'opaque', id: 'ann' }, opaque), 'user:ann');
  assert.equal(who({ format: 'email', email: 'Ann@Example.com' }), 'user:ann');
  assert.equal(who({ format: 'account', uri: 'acct:ann@example.com' }), 'user:ann');
  assert.match(who({ format: 'email', email: 'eve@example.com' }), /means nobody here/);
});

test('of a complex subject the user counts, and aliases that contradict each other mean nobody', () => {
  assert.equal(who({ format: 'complex', user: issSub('ann'), device: { format: 'opaque', id: 'd' } }), 'user:ann');
  assert.match(who({ format: 'complex', session: { format: 'opaque', id: 's' } }), /names no user/);
  const aliases = (...identifiers: object[]) => who({ format: 'aliases', identifiers });
  assert.equal(aliases({ format: 'phone_number', phone_number: '+1' }, issSub('ann'), issSub('ann')), 'user:ann');
  assert.match(aliases(issSub('ann'), { format: 'email', email: 'bob@example.com' }), /several principals/);
  assert.match(who({ format: 'did', url: 'did:x' }), /are not read/);
  assert.match(who(undefined), /names no subject/);
});
