import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { readGraphQlCall } from './graphql.ts';

const document = 'query A { a }';
const digest = hash('sha256', document);
const settings = { depthMax: 5, persisted: new Map([[digest, document]]) };
const post = (body: unknown) =>
  readGraphQlCall(
    { method: 'POST', query: '', body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) },
    settings,
  );
const get = (query: string, method = 'GET') => readGraphQlCall({ method, query, body: new Uint8Array() }, settings);
const fieldsOf = (query: string, more: object = {}) => {
  const call = post({ query, ...more });
  return call.outcome === 'read' ? `${call.type} ${call.fields.join(' ')}` : `refused: ${call.why}`;
};

test('the root fields of the operation that is meant are what is called, aliases or not', () => {
  const rows: readonly (readonly [string, object, string])[] = [
    ['{ a }', {}, 'query a'],
    ['{ x: a y: b z: a }', {}, 'query a b'],
    ['mutation { pay(id: 1) { id } }', {}, 'mutation pay'],
    ['subscription { news }', {}, 'subscription news'],
    ['query A { a } mutation B { b }', { operationName: 'B' }, 'mutation b'],
    ['query A { a } mutation B { b }', { operationName: 'A' }, 'query a'],
    ['{ __schema { types { name } } __typename }', {}, 'query __schema __typename'],
    ['{ a @skip(if: true) b @include(if: false) }', {}, 'query a b'],
    ['{ ...F } fragment F on Query { b ...G } fragment G on Node { c }', {}, 'query b c'],
    ['{ ... { a } ... on Query @include(if: false) { b } }', {}, 'query a b'],
    ['query ($x: [Int] = [1]) { a(x: $x, y: "} mutation { b }") }', { variables: { x: [2] } }, 'query a'],
    ['{ a # } b\n c }', {}, 'query a c'],
    ['{ a(x: """ { b } """) }', { extensions: { tracing: {} }, operationName: null }, 'query a'],
  ];
  for (const [query, more, expected] of rows) assert.equal(fieldsOf(query, more), expected, query);
});

test('a document that could mean something else is refused', () => {
  const rows: readonly (readonly [string, object, RegExp])[] = [
    ['{ a', {}, /cannot be read/],
    ['', {}, /cannot be read/],
    ['query A { a } query B { b }', {}, /which operation/],
    ['query A { a }', { operationName: 'B' }, /which operation/],
    ['query A { a }', { operationName: '' }, /has to be a name/],
    ['query A { a } query A { b }', { operationName: 'A' }, /same name/],
    ['{ a } { b }', {}, /same name/],
    ['fragment F on Query { a }', {}, /which operation/],
    ['{ ...F } fragment F on Query { a } fragment F on Query { b }', {}, /stands twice/],
    ['{ ...F }', {}, /no fragment/],
    ['{ ...F } fragment F on Query { a { ...F } }', {}, /holds itself/],
    ['{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }', {}, /holds itself/],
    ['{ a } type Query { a: Int }', {}, /defines types/],
    ['{ a { b { c { d { e { f } } } } } }', {}, /deeper than 5/],
    ['{ a { b { ...F } } } fragment F on X { c { d { e { f } } } }', {}, /deeper than 5/],
    ['{ a # \u2028 b\n }', {}, /doubtful/],
    ['{ a # \u0000 b\n }', {}, /doubtful/],
    [`{ ${'a '.repeat(60)} }`, {}, /more than 50/],
    [`{ ${'a(x: 1) { b } '.repeat(2_000)} }`, {}, /cannot be read/],
  ];
  for (const [query, more, why] of rows) assert.match(fieldsOf(query, more), why, query);
});

test('fragments that multiply are measured without being written out', () => {
  let query = '{ ...F0 }';
  for (let n = 0; n < 60; n++) query += ` fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`;
  assert.match(fieldsOf(`${query} fragment F60 on Query { a }`), /selects more than/);
});

test('a request is refused that has a member twice, a member too many, or several requests in one', () => {
  for (const [body, why] of [
    ['{"query":"{a}","query":"{b}"}', /stands twice/],
    ['{"query":"{a}","\\u0071uery":"{b}"}', /stands twice/],
    ['{"query":"{a}","Query":"{b}"}', /no member "Query"/],
    ['{"query":"{a}","mutation":"{b}"}', /no member/],
    ['[{"query":"{a}"},{"query":"{b}"}]', /several/],
    ['[]', /several/],
    ['"{a}"', /no GraphQL request/],
    ['{"query":["{a}"]}', /has to be text/],
    ['{"query":"{a}","variables":"{}"}', /has to be an object/],
    ['{"query":"{a}","extensions":[]}', /has to be an object/],
    ['{"query":null}', /has to be text/],
    ['{}', /carry or name/],
    ['query=%7Ba%7D', /cannot be read/],
  ] as const) {
    const call = post(body);
    assert.match(call.outcome === 'refused' ? call.why : 'read', why, body);
  }
  assert.equal(
    readGraphQlCall({ method: 'POST', query: '?query={b}', body: Buffer.from('{"query":"{a}"}') }, settings).outcome,
    'refused',
  );
});

test('a persisted document is called by its hash, and never beside another', () => {
  const apollo = (sha256Hash: unknown) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });
  for (const body of [apollo(digest), { documentId: digest }, { documentId: `sha256:${digest}` }]) {
    const call = post(body);
    assert.deepEqual(call.outcome === 'read' && [call.type, call.fields], ['query', ['a']]);
  }
  const refusals: readonly (readonly [unknown, RegExp])[] = [
    [apollo('0'.repeat(64)), /no such document/],
    [apollo(undefined), /no such document/],
    [apollo(7), /no such document/],
    [{ documentId: 'constructor' }, /no such document/],
    [{ query: '{ b }', ...apollo(digest) }, /names another/],
    [{ query: document, documentId: digest }, /names another/],
    [{ documentId: digest, ...apollo(digest) }, /one document/],
  ];
  for (const [body, why] of refusals) {
    const call = post(body);
    assert.match(call.outcome === 'refused' ? call.why : 'read', why, JSON.stringify(body));
  }
});

test('a query may come by GET, spelled once, and nothing else may', () => {
  const read = (query: string) => {
    const call = get(query);
    return call.outcome === 'read' ? call.fields.join(' ') : `refused: ${call.why}`;
  };
  assert.equal(read('?query=%7Ba%7D'), 'a');
  assert.equal(read('?query=query+A%7Ba%7D+query+B%7Bb%7D&operationName=B&variables=%7B%22x%22:1%7D'), 'b');
  assert.equal(
    read(`?extensions=${encodeURIComponent(JSON.stringify({ persistedQuery: { sha256Hash: digest } }))}`),
    'a',
  );
  for (const [query, why] of [
    ['?query=mutation%7Ba%7D', /by POST/],
    ['?query=subscription%7Ba%7D', /by POST/],
    ['?query=%7Ba%7D&query=%7Bb%7D', /twice/],
    ['?query=%7Ba%7D&%71uery=%7Bb%7D', /twice/],
    ['?query=%7Ba%7D;query=%7Bb%7D', /semicolon/],
    ['?query=%7Ba%7D&other=1', /no member/],
    ['?query=%FF', /not text/],
    ['?query', /no value/],
    ['?query=%7Ba%7D&variables=%7B%22x%22:1,%22x%22:2%7D', /stands twice/],
    ['', /no value|carry or name/],
  ] as const)
    assert.match(read(query), why, query);
});

test('whatever field is hidden in an operation, it is among those that are called', () => {
  const name = fc
    .stringMatching(/^[a-z][a-z0-9]{0,5}$/)
    .filter((each) => !['on', 'true', 'false', 'null'].includes(each));
  const wrap = fc.constantFrom(
    (field: string) => field,
    (field: string) => `alias: ${field}`,
    (field: string) => `... { ${field} }`,
    (field: string) => `... on Query @include(if: false) { ${field} }`,
    (field: string) => `${field} @skip(if: true)`,
    (field: string) => `${field}(x: "#\\"")`,
    (field: string) => `# comment {\n ${field}`,
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, wrap), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 0, max: 20 }),
      (fields, at) => {
        const inside = fields.slice(0, at).map(([field, how]) => how(field));
        const behind = fields.slice(at).map(([field, how]) => how(field));
        const query = `query A { decoy } mutation B { ${inside.join('\n')} ${behind.length > 0 ? '...F' : ''} }${behind.length > 0 ? ` fragment F on X { ${behind.join('\n')} }` : ''}`;
        const call = post({ query, operationName: 'B' });
        assert.equal(call.outcome, 'read');
        if (call.outcome === 'read') assert.deepEqual(new Set(call.fields), new Set(fields.map(([field]) => field)));
      },
    ),
  );
});

test('no body makes it throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.string().map((query) => JSON.stringify({ query })),
      ),
      (body) => void post(body),
    ),
  );
  assert.equal(post({ query: '{a'.repeat(3_000) }).outcome, 'refused');
});
