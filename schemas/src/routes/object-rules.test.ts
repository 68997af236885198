import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTarget } from './canonical.ts';
import type { Endpoint } from './endpoint.ts';
import { endpointsFromOpenApi } from './from-openapi.ts';
import { routeMatcher } from './match.ts';
import { objectsOf, unaskable } from './object-rules.ts';

const published = (paths: object) => endpointsFromOpenApi('hr', { openapi: '3.1.0', info: {}, paths });
const one = { type: 'employee', parameter: 'id', permission: 'view' };
const { endpoints, problems } = published({
  '/employees/{id}': {
    get: { operationId: 'get', 'x-postern': { object: one, scopes: ['hr.read'] } },
    post: { operationId: 'both', 'x-postern': { object: [one, { ...one, permission: 'edit' }], opaque: true } },
  },
});
const matcher = routeMatcher([{ name: 'hr', mount: '/hr', endpoints }]);
const named = (path: string) => {
  const target = readTarget(path);
  if (target.outcome !== 'read') return target.outcome;
  const match = matcher.match('GET', target);
  assert.ok(match, path);
  const objects = objectsOf(match);
  return objects.outcome === 'named' ? objects.objects.map(({ resource }) => resource).join() : objects.outcome;
};

test('x-postern names one object rule or several, scopes, and what is opaque', () => {
  assert.deepEqual(problems, []);
  assert.deepEqual(
    endpoints.map(({ objects, scopes, opaque }) => [objects?.length, scopes, opaque]),
    [
      [1, ['hr.read'], undefined],
      [2, undefined, true],
    ],
  );
});

test('an object rule that names no parameter of its path, or no such thing, yields no endpoint', () => {
  const wrong = (object: unknown) =>
    published({ '/employees/{id}': { get: { 'x-postern': { object } } } })
      .problems.map(({ what }) => what)
      .join();
  assert.match(wrong({ ...one, parameter: 'number' }), /the template has no \{number\}/);
  assert.match(wrong({ ...one, type: 'Employee' }), /a name in the schema/);
  assert.match(wrong('employee'), /objects/);
  const both = published({ '/e/{id}': { get: { 'x-postern': { object: one, public: true } } } });
  assert.match(both.problems[0]?.what ?? '', /public and asks for an object/);
});

test('an argument is asked for where a body is read, and nowhere else', () => {
  const rule = { type: 'employee', argument: 'input.id', permission: 'view' };
  const endpoint = { objects: [rule, { ...rule, permission: 'edit' }] } as unknown as Endpoint;
  const read = (found: { values: string[] } | { why: string }) => objectsOf({ endpoint, parameters: {} }, () => found);
  assert.deepEqual(read({ values: ['42', 'a b', '42'] }), {
    outcome: 'named',
    objects: ['view', 'edit'].flatMap((permission) =>
      ['employee:42', 'employee:a=20b'].map((resource) => ({ resource, permission })),
    ),
  });
  assert.equal(read({ why: 'no' }).outcome, 'unsafe');
  assert.equal(read({ values: [''] }).outcome, 'unsafe');
  assert.equal(read({ values: Array.from({ length: 101 }, (_each, at) => `${at}`) }).outcome, 'unsafe');
  assert.equal(objectsOf({ endpoint, parameters: { 'input.id': '42' } }).outcome, 'unknown');
  const at = (operation: object | undefined, objects: object[] = [rule]) =>
    unaskable({ ...endpoints[0], objects, operation } as unknown as Endpoint) ?? '';
  assert.equal(at({ kind: 'graphql' }), '');
  assert.equal(at({ kind: 'mcp' }), '');
  assert.match(at({ kind: 'mcp-method' }), /names the argument input\.id/);
  assert.match(at(undefined), /a gRPC message is not read/);
  assert.match(at({ kind: 'graphql' }, [one]), /names an argument, not the parameter id/);
});

test('two spellings of a path never name two objects, and two objects never have one name', () => {
  assert.equal(named('/hr/employees/42'), 'employee:42');
  assert.equal(named('/hr/employees/a%20b'), 'employee:a=20b');
  assert.equal(named('/hr/employees/a=20b'), 'employee:a=3D20b');
  assert.equal(named('/hr/employees/*'), 'employee:=2A');
  assert.equal(named('/hr/employees/42:view'), 'employee:42=3Aview');
  for (const refused of ['%34%32', '42%2F..', '..', '42%00', '42;x=1', 'caf%c3%a9'])
    assert.equal(named(`/hr/employees/${refused}`), 'ambiguous', refused);
  assert.equal(named('/hr/employees/caf%C3%A9'), 'employee:caf=C3=A9');
  assert.equal(named('/hr/employees/cafe%CC%81'), 'unsafe', 'the same letters, not in form NFC');
  assert.equal(named(`/hr/employees/${'%20'.repeat(300)}`), 'unsafe', 'longer than an id may be');
});
