import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FactDraft } from '../facts/fact.ts';
import { sealAppend } from '../facts/log-entry.ts';
import { type RelationshipUpdate, relationshipText } from '../relationship.ts';
import { draftOf, nthId } from './histories.ts';
import { Organisation } from './organisation.ts';

const text = ({ operation, relationship }: RelationshipUpdate) =>
  `${operation === 'touch' ? '+' : '-'} ${relationshipText(relationship)}`;
const tell = (organisation: Organisation, ...drafts: FactDraft[]): string[] =>
  sealAppend(organisation.sequence, drafts).flatMap(({ fact, ...entry }) => {
    assert.ok(fact);
    return organisation.apply({ ...entry, fact }).map(text);
  });
const edge = (object: string, relation: string, subject: string) => ({ object, relation, subject }) as never;
const related = (...of: [string, string, string]) => draftOf(1, 'postern.object.related.v1', edge(...of));
const unrelated = (...of: [string, string, string]) => draftOf(2, 'postern.object.unrelated.v1', edge(...of));
const graph = (organisation: Organisation) => Array.from(organisation.relationships(), relationshipText).sort();

test('a relation of an object is a relationship as long as facts say so', () => {
  const organisation = new Organisation();
  const bob = ['employee:42', 'manager', 'user:bob'] as const;
  assert.deepEqual(tell(organisation, related(...bob)), ['+ employee:42#manager@user:bob']);
  assert.deepEqual(graph(organisation), ['employee:42#manager@user:bob']);
  assert.deepEqual(tell(organisation, unrelated(...bob)), ['- employee:42#manager@user:bob']);
  assert.deepEqual(tell(organisation, unrelated(...bob)), []);
  assert.deepEqual(graph(organisation), []);
});

test('whoever is no more stands in no relation, and a successor of the same name inherits none', () => {
  const organisation = new Organisation();
  const roleRules = { allows: [{ object: 'employee:*', permission: 'view' }] };
  tell(
    organisation,
    draftOf(1, 'postern.principal.joined.v1', { principal: 'user:bob' as never, attributes: {} }),
    draftOf(2, 'postern.group.changed.v1', { group: 'group:hr' as never, add: [], remove: [] }),
    draftOf(3, 'postern.role.defined.v1', { role: 'opener' as never, rules: roleRules }),
    draftOf(4, 'postern.credential.issued.v1', {
      credential: 'credential:k1' as never,
      owner: 'user:bob' as never,
      digest: nthId(4).padStart(43, 'k'),
    }),
    related('employee:1', 'manager', 'user:bob'),
    related('employee:2', 'manager', 'group:hr#member'),
    related('employee:3', 'reader', 'role:opener#holder'),
    related('employee:4', 'assistant', 'credential:k1'),
    related('employee:5', 'department', 'department:sales'),
  );
  const gone = tell(
    organisation,
    draftOf(5, 'postern.principal.left.v1', { principal: 'user:bob' as never }),
    draftOf(6, 'postern.group.deleted.v1', { group: 'group:hr' as never }),
    draftOf(7, 'postern.role.retired.v1', { role: 'opener' as never }),
    draftOf(8, 'postern.principal.joined.v1', { principal: 'user:bob' as never, attributes: {} }),
    draftOf(9, 'postern.group.changed.v1', { group: 'group:hr' as never, add: [], remove: [] }),
    draftOf(10, 'postern.role.defined.v1', { role: 'opener' as never, rules: roleRules }),
  );
  for (const each of [
    'employee:1#manager@user:bob',
    'employee:2#manager@group:hr#member',
    'employee:3#reader@role:opener#holder',
    'employee:4#assistant@credential:k1',
  ])
    assert.ok(gone.includes(`- ${each}`), each);
  assert.deepEqual(graph(organisation), [
    'employee:5#department@department:sales',
    'object_permission:employee/view#holder@role:opener#holder',
  ]);
});

test('no class of access reaches an opaque endpoint', () => {
  const organisation = new Organisation();
  const endpoint = (id: string, more: object = {}) => ({
    id,
    method: 'POST',
    template: `/${id}`,
    access: 'write',
    ...more,
  });
  const endpoints = [endpoint('api/plain'), endpoint('api/hiding', { opaque: true })] as never;
  const updates = tell(
    organisation,
    draftOf(1, 'postern.routes.published.v1', {
      service: 'api' as never,
      mount: '/api',
      endpoints,
      part: 1,
      parts: 1,
      digest: 'x',
    }),
    draftOf(2, 'postern.role.defined.v1', {
      role: 'named' as never,
      rules: { allows: [{ endpoint: 'api/hiding' as never }] },
    }),
  );
  assert.deepEqual(updates, [
    '+ endpoint:api/plain#writes@service:api',
    '+ endpoint:api/hiding#caller@role:named#holder',
  ]);
});
