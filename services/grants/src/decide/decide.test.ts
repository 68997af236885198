import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CredentialId, GrantId, GroupId, PrincipalId, RoleName, RoleRules, SubjectId } from '@postern/schemas';
import type { Command } from './command.ts';
import { given, story } from './story.ts';

const alice = PrincipalId.parse('user:alice');
const bob = PrincipalId.parse('user:bob');
const group = (name: string) => GroupId.parse(`group:${name}`);
const role = (name: string) => RoleName.parse(name);
const joins = (principal: PrincipalId, department?: string): Command => ({
  kind: 'join',
  principal,
  attributes: department === undefined ? {} : { department },
});
const moves = (principal: PrincipalId, department: string): Command => ({
  kind: 'move',
  principal,
  attributes: { department },
});
const leaves = (principal: PrincipalId): Command => ({ kind: 'leave', principal });
const defines = (name: string, rules: Partial<RoleRules> = {}): Command => ({
  kind: 'define-role',
  role: role(name),
  rules: RoleRules.parse({ allows: [{ service: 'payroll', access: 'read' }], ...rules }),
});
const grants = (subject: string, name: string, conditions?: object): Command => ({
  kind: 'issue-grant',
  subject: SubjectId.parse(subject),
  role: role(name),
  reason: 'test',
  ...(conditions && { conditions }),
});

test('a joiner gets the birthrights of her department and nothing else', () => {
  given(
    defines('payroll-reader', { birthright: { department: 'finance' } }),
    defines('hr-reader', { birthright: { department: 'hr' } }),
  )
    .when(joins(alice, 'finance'))
    .thenFacts('principal.joined', [
      'grant.issued',
      { role: 'payroll-reader', origin: 'birthright', reason: 'birthright: department=finance' },
    ]);
});

test('a mover gets the new and loses the old in one append', () => {
  given(
    defines('payroll-reader', { birthright: { department: 'finance' } }),
    defines('hr-reader', { birthright: { department: 'hr' } }),
    joins(alice, 'finance'),
    grants('user:alice', 'hr-reader'),
  )
    .when(moves(alice, 'hr'))
    .thenFacts(
      'principal.moved',
      ['grant.revoked', { role: 'payroll-reader' }],
      ['grant.issued', { role: 'hr-reader', origin: 'birthright' }],
    );
});

test('a leaver keeps no grant, no key and no membership', () => {
  const told = given(
    defines('payroll-reader'),
    joins(alice),
    grants('user:alice', 'payroll-reader'),
    { kind: 'change-group', group: group('hr'), add: [alice], remove: [] },
    {
      kind: 'issue-key',
      credential: CredentialId.parse('credential:k1'),
      owner: alice,
      digest: 'x'.repeat(43),
      roles: [role('payroll-reader')],
      reason: 'test',
    },
  )
    .when(leaves(alice))
    .thenFacts('principal.left', 'credential.revoked', 'grant.revoked');
  assert.equal(told.organisation.grants.size, 0);
  assert.equal(told.organisation.groups.inside(group('hr')).size, 0);
});

test('whoever has left gets nothing more', () => {
  given(defines('payroll-reader'), joins(alice), leaves(alice))
    .when(grants('user:alice', 'payroll-reader'))
    .thenRefused('grants/unknown-principal');
  given(joins(alice), leaves(alice)).when(moves(alice, 'hr')).thenRefused('grants/has-left');
});

test('a role that is redefined settles its birthrights for everybody at once', () => {
  given(joins(alice, 'finance'), joins(bob, 'hr'), defines('payroll-reader', { birthright: { department: 'finance' } }))
    .when(defines('payroll-reader', { birthright: { department: 'hr' } }))
    .thenFacts('role.changed', ['grant.revoked', { subject: 'user:alice' }], ['grant.issued', { subject: 'user:bob' }]);
});

test('duties that are kept separate are not held together, not even through a group', () => {
  const separate = [
    defines('payroll-entry', { separateFrom: [role('payroll-approver')] }),
    defines('payroll-approver'),
    joins(alice),
  ];
  given(...separate, grants('user:alice', 'payroll-approver'))
    .when(grants('user:alice', 'payroll-entry'))
    .thenRefused('grants/separation-of-duties');
  given(...separate, grants('user:alice', 'payroll-entry'))
    .when(grants('user:alice', 'payroll-approver'))
    .thenRefused('grants/separation-of-duties');
  given(
    ...separate,
    { kind: 'change-group', group: group('pay'), add: [alice], remove: [] },
    grants('group:pay#member', 'payroll-entry'),
  )
    .when(grants('user:alice', 'payroll-approver'))
    .thenRefused('grants/separation-of-duties');
});

test('a grant lasts no longer than its role allows', () => {
  const limited = [defines('breakfast', { maxDuration: '8h' }), joins(alice)];
  given(...limited)
    .when(grants('user:alice', 'breakfast'))
    .thenRefused('grants/too-long');
  given(...limited)
    .when(grants('user:alice', 'breakfast', { until: '2026-11-24T16:00:01Z' }))
    .thenRefused('grants/too-long');
  given(...limited)
    .when(grants('user:alice', 'breakfast', { until: '2026-11-24T16:00:00Z' }))
    .thenFacts('grant.issued');
});

test('a group never contains itself, however long the way round', () => {
  const nested: Command[] = [
    { kind: 'change-group', group: group('aaa'), add: [], remove: [] },
    { kind: 'change-group', group: group('bbb'), add: [group('aaa')], remove: [] },
    { kind: 'change-group', group: group('ccc'), add: [group('bbb')], remove: [] },
  ];
  given(...nested)
    .when({ kind: 'change-group', group: group('aaa'), add: [group('ccc')], remove: [] })
    .thenRefused('grants/group-cycle');
  given(...nested)
    .when({ kind: 'change-group', group: group('aaa'), add: [group('aaa')], remove: [] })
    .thenRefused('grants/group-cycle');
  given(...nested)
    .when({ kind: 'change-group', group: group('aaa'), add: [group('zzz')], remove: [] })
    .thenRefused('grants/unknown-group');
  given(...nested)
    .when({ kind: 'change-group', group: group('aaa'), add: [alice], remove: [] })
    .thenRefused('grants/unknown-principal');
});

test('what is already so makes no fact', () => {
  const set = [defines('payroll-reader'), joins(alice, 'finance')];
  given(...set)
    .when(joins(alice, 'finance'))
    .thenFacts();
  given(...set)
    .when(moves(alice, 'finance'))
    .thenFacts();
  given(...set)
    .when(defines('payroll-reader'))
    .thenFacts();
  given(...set, leaves(alice))
    .when(leaves(alice))
    .thenFacts();
});

test('an unknown person, role, grant or key is refused by name', () => {
  given(defines('payroll-reader'))
    .when(grants('user:nobody', 'payroll-reader'))
    .thenRefused('grants/unknown-principal');
  given(joins(alice)).when(grants('user:alice', 'no-such-role')).thenRefused('grants/unknown-role');
  given()
    .when({ kind: 'revoke-grant', grant: GrantId.parse('01930000-0000-7000-8000-000000000001'), reason: 'x' })
    .thenRefused('grants/unknown-grant');
  given()
    .when({ kind: 'revoke-key', credential: CredentialId.parse('credential:nope') })
    .thenRefused('grants/unknown-credential');
  given().when(leaves(bob)).thenRefused('grants/unknown-principal');
});

test('expiry cleans up what has lapsed and leaves the rest', () => {
  given(
    defines('payroll-reader'),
    joins(alice),
    grants('user:alice', 'payroll-reader', { until: '2026-11-24T08:00:00Z' }),
    grants('user:alice', 'payroll-reader', { until: '2026-11-24T08:00:01Z' }),
  )
    .when({ kind: 'expire-grants' })
    .thenFacts(['grant.expired', { until: '2026-11-24T08:00:00Z' }]);
});

test('a schema larger than one log entry is published in parts and comes out whole', () => {
  const text = 'definition user {}\n'.repeat(9_000);
  const told = story();
  const facts = told.run({ kind: 'publish-schema', text });
  assert.ok(facts.length > 2);
  assert.equal(told.organisation.schema, text);
  assert.deepEqual(told.run({ kind: 'publish-schema', text }), []);
});
