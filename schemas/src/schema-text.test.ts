import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateSchema } from '../generated/gate-zed.ts';
import { leafTypes, readSchemaText, unknownRelation } from './schema-text.ts';

const read = (text: string) => {
  const schema = readSchemaText(text);
  assert.ok(schema, text);
  return schema;
};
const edge = (text: string) => {
  const [resource = '', rest = ''] = text.split('#', 1).concat(text.slice(text.indexOf('#') + 1));
  const [relation = '', subject = ''] = [rest.slice(0, rest.indexOf('@')), rest.slice(rest.indexOf('@') + 1)];
  return { resource, relation, subject };
};

test('reads the types, relations and permissions of the gate', () => {
  const { definitions } = read(gateSchema);
  assert.deepEqual(
    [...(definitions.get('employee')?.relations ?? [])],
    [
      ['self_service', [{ type: 'user' }]],
      ['manager', [{ type: 'user' }, { type: 'group', relation: 'member' }]],
      ['reader', [{ type: 'role', relation: 'holder' }]],
    ],
  );
  assert.equal(definitions.get('employee')?.permissions.get('view'), 'self_service + manager + reader');
  assert.deepEqual([...leafTypes(read(gateSchema))].sort(), ['sequence', 'user', 'workload']);
});

test('says of a relationship whether the schema knows it, and what it knows instead', () => {
  const schema = read(gateSchema);
  const why = (text: string) => unknownRelation(schema, edge(text));
  for (const known of [
    'employee:42#manager@user:bob',
    'employee:42#manager@group:hr#member',
    'employee:42#reader@role:hr#holder',
  ])
    assert.equal(why(known), undefined, known);
  assert.match(why('employee:42#manager@workload:ci') ?? '', /employee#manager takes user, group#member, not workload/);
  assert.match(why('employee:42#manager@group:hr') ?? '', /not group$/);
  assert.match(
    why('employee:42#friend@user:bob') ?? '',
    /no relation of employee; its relations are self_service, manager/,
  );
  assert.match(why('employee:42#view@user:bob') ?? '', /view is a permission of employee/);
  assert.match(why('ship:1#captain@user:bob') ?? '', /defines no ship/);
});

test('comments, texts, caveats and wildcards mislead nobody', () => {
  const schema = read(`use expiration
    /* definition ghost { relation nothing: user } */
    caveat odd(name string) { name == "definition trap { " && name != '}' }
    definition user {} // definition second {}
    definition file { relation viewer: user:* | user with odd | user#friend with odd and expiration
      relation owner: user permission open = (viewer + owner) & owner }`);
  assert.deepEqual([...schema.definitions.keys()], ['user', 'file']);
  assert.deepEqual(schema.definitions.get('file')?.relations.get('viewer'), []);
  assert.equal(unknownRelation(schema, edge('file:1#owner@user:bob')), undefined);
  assert.match(unknownRelation(schema, edge('file:1#viewer@user:bob')) ?? '', /nobody that a fact could name/);
});

test('what it cannot read it does not pretend to have read', () => {
  for (const text of [
    'definition user {',
    'import "other.zed"',
    'definition a {}\ndefinition a {}',
    'partial x {}',
    'definition user { nonsense }',
  ])
    assert.equal(readSchemaText(text), undefined, text);
});
