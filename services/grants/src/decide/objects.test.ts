import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GroupId,
  gateSchema,
  isProblem,
  ObjectId,
  ObjectSubject,
  PrincipalId,
  RoleName,
  RoleRules,
  SubjectId,
} from '@postern/schemas';
import { toCommand } from '../inbound/to-command.ts';
import type { Command } from './command.ts';
import { given } from './story.ts';

const relates = (subject: string, relation = 'manager', object = 'employee:42'): Command => ({
  kind: 'relate-object',
  object: ObjectId.parse(object),
  relation,
  subject: ObjectSubject.parse(subject),
});
const unrelates = (subject: string): Command => ({ ...relates(subject), kind: 'unrelate-object' }) as Command;
const defines = (object: string, permission = 'view'): Command => ({
  kind: 'define-role',
  role: RoleName.parse('opener'),
  rules: RoleRules.parse({ allows: [{ object, permission }] }),
});
const publishes = (text: string): Command => ({ kind: 'publish-schema', text });
const bob = PrincipalId.parse('user:bob');
const joins: Command = { kind: 'join', principal: bob, attributes: {} };
const makes: Command = { kind: 'change-group', group: GroupId.parse('group:hr'), add: [], remove: [] };
const world = [publishes(gateSchema), joins, makes] as const;

test('a relation that the schema knows, with somebody who is there, is a fact, once', () => {
  given(...world)
    .when(relates('user:bob'))
    .thenFacts(['object.related', { object: 'employee:42', subject: 'user:bob' }]);
  given(...world, relates('user:bob'))
    .when(relates('user:bob'))
    .thenFacts();
  given(...world)
    .when(relates('group:hr#member'))
    .thenFacts('object.related');
  given(...world, relates('user:bob'))
    .when(unrelates('user:bob'))
    .thenFacts('object.unrelated');
  given(...world)
    .when(unrelates('user:bob'))
    .thenFacts();
});

test('what the schema does not know is refused before it is a fact', () => {
  for (const command of [
    relates('user:bob', 'friend'),
    relates('user:bob', 'view'),
    relates('group:hr'),
    relates('user:bob', 'captain', 'spaceship:1'),
  ])
    given(...world)
      .when(command)
      .thenRefused('grants/unknown-relation');
});

test('whoever is not there is refused: strangers, leavers, groups, keys and roles that are none', () => {
  given(...world)
    .when(relates('user:eve'))
    .thenRefused('grants/unknown-principal');
  given(...world, { kind: 'leave', principal: bob })
    .when(relates('user:bob'))
    .thenRefused('grants/unknown-principal');
  given(...world)
    .when(relates('group:none#member'))
    .thenRefused('grants/unknown-group');
  given(...world)
    .when(relates('role:none#holder', 'reader'))
    .thenRefused('grants/unknown-role');
});

test('a leaver stands in no relation, and can be taken out of none', () => {
  given(...world, relates('user:bob'), { kind: 'leave', principal: bob }, joins)
    .when(unrelates('user:bob'))
    .thenFacts();
});

test('nobody relates what follows from facts of its own', () => {
  for (const object of [
    'role:payroll-reader',
    'group:hr',
    'endpoint:payroll/get',
    'object_permission:employee/view',
    'credential:k1',
  ])
    assert.equal(ObjectId.safeParse(object).success, false, object);
});

test('a role opens objects only where the schema has such a permission, and a place to keep it', () => {
  given(...world)
    .when(defines('employee:*'))
    .thenFacts('role.defined');
  given(...world)
    .when(defines('employee:*', 'promote'))
    .thenRefused('grants/unknown-relation');
  given(...world)
    .when(defines('spaceship:*', 'board'))
    .thenRefused('grants/unknown-relation');
  const without = gateSchema.replace(/definition object_permission \{[^}]*\}/, '');
  given(publishes(without)).when(defines('employee:*')).thenRefused('grants/unknown-relation');
});

test('a publication holds its roles to the schema that it publishes, and to no other', () => {
  const publishesModel = (schema: string, permission: string): Command => {
    const allows = [{ object: 'employee:*', permission }];
    const roles = new Map([[RoleName.parse('opener'), RoleRules.parse({ allows })]]);
    return { kind: 'publish-model', schema, services: [], roles, retire: [], reason: 'r' };
  };
  const promoting = gateSchema.replace('permission view', 'permission promote = manager\n  permission view');
  assert.notEqual(promoting, gateSchema);
  given(publishes(gateSchema)).when(publishesModel(promoting, 'promote')).thenFacts('schema.published', 'role.defined');
  given(publishes(promoting)).when(publishesModel(gateSchema, 'promote')).thenRefused('grants/unknown-relation');
  given().when(publishesModel(gateSchema, 'promote')).thenRefused('grants/unknown-relation');
});

test('an event names the object as its subject or in its data, and never two', () => {
  const event = { specversion: '1.0', id: '1', source: '/hr', type: 'postern.object.related.v1' } as const;
  const data = { relation: 'manager', subject: 'user:bob' };
  const named = toCommand({ ...event, data: { ...data, object: 'employee:42' } }, 'now');
  assert.deepEqual(named.command, relates('user:bob'));
  assert.deepEqual(toCommand({ ...event, subject: 'employee:42', data }, 'now'), named);
  for (const wrong of [
    { ...event, subject: 'employee:41', data: { ...data, object: 'employee:42' } },
    { ...event, data },
    { ...event, subject: 'employee:42', data: { ...data, subject: 'user:*' } },
    { ...event, subject: 'role:payroll-admin', data: { relation: 'holder', subject: 'user:bob' } },
  ])
    assert.throws(
      () => toCommand(wrong, 'now'),
      (error) => isProblem(error, 'grants/bad-event'),
      JSON.stringify(wrong),
    );
});

test('conditions that nobody could ever meet are refused, with the way out', () => {
  const grants = (conditions: object): Command => ({
    kind: 'issue-grant',
    subject: SubjectId.parse('user:bob'),
    role: RoleName.parse('opener'),
    reason: 'test',
    conditions,
  });
  const hours = { tz: 'Europe/Berlin', days: [1], from: 1320, to: 120 };
  const story = () => given(...world, defines('employee:*'));
  for (const conditions of [
    { hours },
    { hours: { ...hours, to: 1320 } },
    { hours: { ...hours, from: 0, tz: 'europe/berlin' } },
    { from: '2026-12-01T00:00:00Z', until: '2026-12-01T00:00:00Z' },
  ])
    story().when(grants(conditions)).thenRefused('grants/never-met');
  for (const tz of ['Europe/Berlin', 'UTC', 'America/Port-au-Prince', 'Asia/Kolkata', 'US/Pacific'])
    story()
      .when(grants({ hours: { ...hours, from: 0, tz } }))
      .thenFacts('grant.issued');
});
