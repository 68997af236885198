import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem } from '@postern/schemas';
import { enterpriseUrn } from './definitions.ts';
import { editOf } from './members.ts';
import { patched, readPatch } from './patch.ts';
import { type Document, readResource } from './read.ts';

const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
const ann: Document = {
  userName: 'ann',
  active: true,
  title: 'Clerk',
  name: { givenName: 'Ann', familyName: 'Lee' },
  emails: [{ value: 'a@work.test', type: 'work', primary: true }],
  [enterpriseUrn]: { department: 'finance', employeeNumber: '7' },
};
const after = (...Operations: readonly object[]): Document =>
  patched('User', ann, readPatch('User', { schemas, Operations }));
const refusedAs = (scimType: string, ...Operations: readonly object[]): void => {
  assert.throws(
    () => after(...Operations),
    (error) => isProblem(error, 'grants/scim-invalid') && error.members['scimType'] === scimType,
    JSON.stringify(Operations),
  );
};

test('what Entra ID sends is understood', () => {
  assert.equal(after({ op: 'Replace', path: 'active', value: 'False' })['active'], false);
  assert.deepEqual(after({ op: 'Add', path: `${enterpriseUrn}:manager`, value: 'boss' })[enterpriseUrn], {
    department: 'finance',
    employeeNumber: '7',
    manager: { value: 'boss' },
  });
  assert.deepEqual(after({ op: 'Replace', path: 'emails[type eq "work"].value', value: 'b@work.test' })['emails'], [
    { value: 'b@work.test', type: 'work', primary: true },
  ]);
  assert.deepEqual(after({ op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '1' })['phoneNumbers'], [
    { type: 'mobile', value: '1' },
  ]);
  const moved = after({
    op: 'replace',
    value: {
      'name.familyName': 'Ray',
      [`${enterpriseUrn}:department`]: 'legal',
      'emails[type eq "work"].value': 'c@x',
    },
  });
  assert.deepEqual(
    [moved['name'], moved[enterpriseUrn], (moved['emails'] as Document[])[0]?.['value']],
    [{ givenName: 'Ann', familyName: 'Ray' }, { department: 'legal', employeeNumber: '7' }, 'c@x'],
  );
});

test('what Okta sends is understood', () => {
  assert.equal(
    after({ op: 'replace', value: { id: 'x', active: false, schemas: ['y'], unknown: 1 } })['active'],
    false,
  );
  assert.deepEqual(after({ op: 'replace', value: { [enterpriseUrn]: { department: 'legal' } } })[enterpriseUrn], {
    department: 'legal',
    employeeNumber: '7',
  });
});

test('an attribute that is removed, or replaced by nothing, is there no more', () => {
  assert.equal('title' in after({ op: 'remove', path: 'TITLE' }), false);
  assert.equal('title' in after({ op: 'replace', path: 'title', value: '' }), false);
  assert.equal('emails' in after({ op: 'remove', path: 'emails[value ew "work.test"]' }), false);
  assert.deepEqual(after({ op: 'remove', path: 'emails[type eq "work"].primary' })['emails'], [
    { value: 'a@work.test', type: 'work' },
  ]);
  assert.equal(enterpriseUrn in after({ op: 'remove', path: enterpriseUrn }), false);
});

test('whoever becomes the primary value takes that from the others', () => {
  const added = after({ op: 'add', path: 'emails', value: { value: 'new@x', type: 'home', primary: true } });
  assert.deepEqual(
    (added['emails'] as Document[]).map(({ value, primary }) => [value, primary]),
    [
      ['a@work.test', false],
      ['new@x', true],
    ],
  );
});

test('a patch is carried out whole or not at all, and names what is wrong', () => {
  const before = structuredClone(ann);
  refusedAs('invalidPath', { op: 'replace', path: 'title', value: 'x' }, { op: 'replace', path: 'colour', value: 'x' });
  refusedAs('mutability', { op: 'replace', path: 'id', value: 'x' });
  refusedAs('noTarget', { op: 'remove' });
  refusedAs('noTarget', { op: 'replace', path: 'emails[value co "z"].type', value: 'home' });
  refusedAs('invalidValue', { op: 'replace', path: 'active', value: 'perhaps' });
  refusedAs('invalidValue', { op: 'remove', path: 'userName' });
  refusedAs('invalidSyntax', { op: 'move', path: 'title' });
  refusedAs('invalidFilter', { op: 'remove', path: 'emails[type is "x"]' });
  assert.deepEqual(ann, before);
});

test('names that every object has cannot be reached through a path', () => {
  for (const path of ['__proto__', '__proto__.polluted', 'constructor.prototype', 'name.__proto__'])
    refusedAs('invalidPath', { op: 'add', path, value: 'x' });
  after({ op: 'add', value: JSON.parse('{"__proto__":{"polluted":true},"name":{"__proto__":{"polluted":true}}}') });
  assert.equal(({} as Document)['polluted'], undefined);
});

test('members are added and taken without the list that comes of it', () => {
  const edit = (...Operations: readonly object[]) =>
    editOf(readPatch('Group', { schemas, Operations }), () => ['user:x', 'user:y'] as never);
  assert.deepEqual(
    edit(
      { op: 'Add', path: 'members', value: [{ value: 'a' }, { value: 'b', type: 'Group' }] },
      { op: 'Remove', path: 'members[value eq "a"]' },
      { op: 'Remove', path: 'members', value: [{ value: 'c' }] },
    ),
    { exact: false, add: [{ id: 'b', kind: 'Group' }], remove: ['a', 'c'] },
  );
  assert.deepEqual(edit({ op: 'replace', value: { members: [{ value: 'a' }] } }), {
    exact: true,
    add: [{ id: 'a', kind: undefined }],
    remove: [],
  });
  assert.deepEqual(edit({ op: 'remove', path: 'members[value sw "x"]' }), { exact: false, add: [], remove: ['x'] });
  assert.equal(edit({ op: 'replace', path: 'displayName', value: 'n' }), undefined);
});

test('a resource says each thing once, in the schema’s own spelling', () => {
  assert.deepEqual(
    readResource('User', {
      USERNAME: 'ann',
      Active: 'true',
      name: { GIVENNAME: 'A' },
      colour: 'red',
      password: 'p',
      id: '9',
    }),
    { userName: 'ann', active: true, name: { givenName: 'A' } },
  );
  assert.throws(() => readResource('User', { userName: 'a', USERNAME: 'b' }), /twice/);
  assert.throws(() => readResource('User', { displayName: 'a' }), /userName/);
});
