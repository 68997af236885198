import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateSchema, type LoggedFact, leafTypes, Organisation, readSchemaText, sealAppend } from '@postern/schemas';
import { joined, related, say, schema } from '../trial/facts.ts';
import { invalidationsOf } from './invalidation.ts';

const leavesOf = (text: string) => {
  const read = readSchemaText(text);
  assert.ok(read);
  return leafTypes(read);
};
const told = (text: string, ...drafts: Parameters<typeof sealAppend>[1]) => {
  const organisation = new Organisation();
  const entries = sealAppend(organisation.sequence, [schema(text), ...drafts]) as readonly LoggedFact[];
  return entries
    .map(({ fact, ...entry }) => {
      assert.ok(fact);
      return invalidationsOf(fact, organisation.apply({ ...entry, fact }), leavesOf(text));
    })
    .at(-1);
};
const epoch = [{ kind: 'epoch' }];
const ann = [{ kind: 'subject', subject: 'user:ann' }];

test('a relation of an object with a person touches that person alone, where nothing goes through persons', () => {
  const edge = related('employee:1', 'manager', 'user:ann');
  assert.deepEqual(told(gateSchema, edge.related), ann);
  assert.deepEqual(told(gateSchema, edge.related, edge.unrelated), ann);
  assert.deepEqual(told(gateSchema, edge.unrelated), [], 'what was not there touches nobody');
});

test('a relation with a group or another object touches everybody', () => {
  const ofGroup = related('employee:1', 'manager', 'group:hr#member');
  assert.deepEqual(told(gateSchema, ofGroup.related), epoch);
  assert.deepEqual(told(gateSchema, ofGroup.related, ofGroup.unrelated), epoch);
  assert.deepEqual(told(gateSchema, related('employee:1', 'department', 'department:sales').related), epoch);
});

test('where a schema goes through persons, or asks for all of a relation, nothing is narrower than everything', () => {
  const edge = related('employee:1', 'manager', 'user:ann').related;
  const through = gateSchema.replace('definition user {}', 'definition user {\n\trelation assistant: user\n}');
  assert.notEqual(through, gateSchema);
  assert.deepEqual(told(through, edge), epoch);
  const all = `${gateSchema}\ndefinition file {\n\trelation folder: user\n\n\tpermission open = folder.all(member)\n}\n`;
  assert.deepEqual(told(all, edge), epoch);
});

test('a leaver with relations touches the leaver; one of a group that is deleted everybody', () => {
  const left = say('postern.principal.left.v1', { principal: 'user:ann' });
  const touched = told(gateSchema, joined('user:ann'), related('employee:1', 'manager', 'user:ann').related, left);
  assert.deepEqual(
    new Set(touched?.map((each) => JSON.stringify(each))),
    new Set(ann.map((each) => JSON.stringify(each))),
  );
  const group = say('postern.group.changed.v1', { group: 'group:hr', add: ['user:ann'], remove: [] });
  const deleted = say('postern.group.deleted.v1', { group: 'group:hr' });
  assert.deepEqual(
    told(gateSchema, group, related('employee:1', 'manager', 'group:hr#member').related, deleted),
    epoch,
  );
});
