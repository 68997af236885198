import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGraphQlCall } from './graphql.ts';
import { readMcpCall } from './mcp.ts';

const settings = { depthMax: 10, persisted: new Map() };
const told = (found: { readonly values: readonly string[] } | { readonly why: string }): string =>
  'why' in found ? `refused: ${found.why}` : found.values.join(' ');
/** The values of `path` in the field `employee`; the body may be given as text. */
const graphQl = (query: string, path = 'id', variables?: string): string => {
  const body = `{"query":${JSON.stringify(query)}${variables === undefined ? '' : `,"variables":${variables}`}}`;
  const call = readGraphQlCall({ method: 'POST', query: '', body: Buffer.from(body) }, settings);
  return call.outcome === 'read' ? told(call.argument('employee', path)) : `unread: ${call.why}`;
};
const mcp = (args: string, path = 'id'): string => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay"${args}}}`;
  const call = readMcpCall({ method: 'POST', body: Buffer.from(body), header: () => undefined });
  if (call.outcome !== 'read') return `unread: ${call.why}`;
  return call.argument === undefined ? 'none' : told(call.argument(path));
};

test('an argument of a field is what it says, variables and defaults resolved, wherever the field stands', () => {
  const rows: readonly (readonly [expected: string, ...Parameters<typeof graphQl>])[] = [
    ['42', '{ employee(id: 42) { name } }'],
    ['42', '{ employee(id: "42") { name } }'],
    ['4 2', '{ a: employee(id: 4) { name } b: employee(id: 2) { name } }'],
    [
      '1 2 3',
      '{ employee(id: 1) { n } ...F ... { employee(id: 3) { n } } } fragment F on Query { employee(id: 2) { n } }',
    ],
    ['42', 'query ($x: ID!) { employee(id: $x) { n } }', 'id', '{"x":"42"}'],
    ['12345678901234567890', 'query ($x: ID!) { employee(id: $x) { n } }', 'id', '{"x":12345678901234567890}'],
    ['7', 'query ($x: ID = 7) { employee(id: $x) { n } }'],
    ['8', 'query ($x: ID = 7) { employee(id: $x) { n } }', 'id', '{"x":8}'],
    ['42', '{ employee(input: { who: { id: 42 } }) { n } }', 'input.who.id'],
    ['42', 'query ($i: I) { employee(input: $i) { n } }', 'input.who.id', '{"i":{"who":{"id":42}}}'],
    ['42', 'query ($i: I) { employee(input: { who: $i }) { n } }', 'input.who.id', '{"i":{"id":"42"}}'],
    ['1 2 3', 'query ($x: ID) { employee(ids: [1, "2", $x]) { n } }', 'ids', '{"x":3}'],
    ['1 2', '{ employee(of: [{ id: 1 }, { id: 2 }]) { n } }', 'of.id'],
    ['1 2', 'query A { employee(id: 1) { n } employee(id: 2) { n } } ', 'id'],
  ];
  for (const [expected, ...given] of rows) assert.equal(graphQl(...given), expected, given.join(' '));
});

test('an argument that names nothing, or could name two things, is refused', () => {
  const rows: readonly (readonly [RegExp, ...Parameters<typeof graphQl>])[] = [
    [/does not carry/, '{ employee { n } }'],
    [/does not carry/, '{ a: employee(id: 1) { n } b: employee { n } }'],
    [/does not carry the argument id once/, '{ employee(id: 1, id: 2) { n } }'],
    [/not defined once/, '{ employee(id: $x) { n } }', 'id', '{"x":1}'],
    [/not defined once/, 'query ($x: ID, $x: ID) { employee(id: $x) { n } }', 'id', '{"x":1}'],
    [/names no object/, 'query ($x: ID = 7) { employee(id: $x) { n } }', 'id', '{"x":null}'],
    [/names no object/, 'query ($x: ID) { employee(id: $x) { n } }', 'id', '{}'],
    [/names no object/, 'query ($x: ID) { employee(id: $x) { n } }', 'id', '{"__proto__":{"x":1}}'],
    [/names no object/, '{ employee(id: null) { n } }'],
    [/names no object/, '{ employee(id: true) { n } }'],
    [/names no object/, '{ employee(id: []) { n } }'],
    [/names no object/, '{ employee(id: [1, null]) { n } }'],
    [/names no object/, '{ employee(id: { id: 1 }) { n } }'],
    [/names no object/, '{ employee(input: 1) { n } }', 'input.id'],
    [/stands twice/, '{ employee(input: { id: 1, id: 2 }) { n } }', 'input.id'],
    [/no whole number/, '{ employee(id: 1.0) { n } }'],
    [/no whole number/, '{ employee(id: -0) { n } }'],
    [/no whole number/, 'query ($x: ID) { employee(id: $x) { n } }', 'id', '{"x":1.0}'],
    [/no whole number/, 'query ($x: ID) { employee(id: $x) { n } }', 'id', '{"x":1e0}'],
    [/two ways/, 'query ($i: I) { employee(input: $i) { n } }', 'input.id', '{"i":{"id":1,"ID":2}}'],
    [/unread: .*stands twice/, 'query ($i: I) { employee(input: $i) { n } }', 'input.id', '{"i":{"id":1,"id":2}}'],
  ];
  for (const [expected, ...given] of rows) assert.match(graphQl(...given), expected, given.join(' '));
});

test("a query's variables are read of its target too", () => {
  const query = `?query=${encodeURIComponent('query ($x: ID) { employee(id: $x) { n } }')}&variables=${encodeURIComponent('{"x":4.0}')}`;
  const call = readGraphQlCall({ method: 'GET', query, body: new Uint8Array() }, settings);
  assert.equal(
    call.outcome === 'read' && told(call.argument('employee', 'id')),
    'refused: the argument id is no whole number',
  );
  const plain = readGraphQlCall({ method: 'GET', query: query.replace('4.0', '4'), body: new Uint8Array() }, settings);
  assert.equal(plain.outcome === 'read' && told(plain.argument('employee', 'id')), '4');
});

test('an argument of a tool is read alike', () => {
  const rows: readonly (readonly [expected: RegExp, ...Parameters<typeof mcp>])[] = [
    [/^42$/, ',"arguments":{"id":42}'],
    [/^42$/, ',"arguments":{"id":"42"}'],
    [/^a b$/, ',"arguments":{"who":[{"id":"a"},{"id":"b"}]}', 'who.id'],
    [/^12345678901234567890$/, ',"arguments":{"id":12345678901234567890}'],
    [/names no object/, ''],
    [/names no object/, ',"arguments":{}'],
    [/names no object/, ',"arguments":{"id":{"x":1}}'],
    [/no whole number/, ',"arguments":{"id":42.0}'],
    [/two ways/, ',"arguments":{"id":1,"Id":2}'],
    [/unread: the arguments are named in two ways/, ',"arguments":{"id":1},"Arguments":{"id":2}'],
    [/unread: .*stands twice/, ',"arguments":{"id":1,"\\u0069d":2}'],
  ];
  for (const [expected, ...given] of rows) assert.match(mcp(...given), expected, given.join(' '));
});
