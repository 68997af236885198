import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endpointsFromOpenApi, type OpenApiOptions } from './from-openapi.ts';
import { memberAt, namesInPointer, pointerTo } from './json-pointer.ts';

const root = 'file:///api/openapi.yaml';
const read = (document: object, files: Record<string, unknown> = {}, options: OpenApiOptions = {}) =>
  endpointsFromOpenApi(
    'shop',
    { openapi: '3.1.0', ...document },
    {
      file: root,
      open: (file) => (file in files ? { value: files[file] } : { why: 'the file does not exist' }),
      ...options,
    },
  );
const templates = ({ endpoints }: ReturnType<typeof read>) =>
  endpoints.map(({ method, template }) => `${method} ${template}`);

test('path items, operations and parameters are found in other files, each reference read from where it stands', () => {
  const found = read(
    {
      paths: { '/a/{rest}': { $ref: './paths/a.yaml#/items/a~1b' }, '/b': { get: { $ref: 'operations.json#/list' } } },
    },
    {
      'file:///api/paths/a.yaml': {
        items: { 'a/b': { get: { operationId: 'a' }, parameters: [{ $ref: '../parameters.yaml#/rest' }] } },
      },
      'file:///api/parameters.yaml': { rest: { name: 'rest', in: 'path', 'x-multi-segment': true } },
      'file:///api/operations.json': { list: { operationId: 'b', 'x-postern': { access: 'admin' } } },
    },
  );
  assert.deepEqual(found.problems, []);
  assert.deepEqual(templates(found), ['GET /a/{rest+}', 'GET /b']);
  assert.equal(found.endpoints[1]?.access, 'admin');
});

test('a mistake in another file is told with that file and the place in it', () => {
  const { problems } = read(
    { paths: { '/a': { $ref: 'a.yaml' } } },
    { 'file:///api/a.yaml': { get: { 'x-postern': { acess: 'read' } }, post: { $ref: '#/nowhere' } } },
  );
  assert.deepEqual(
    problems.map(({ file, pointer }) => [file, pointer]),
    [
      ['file:///api/a.yaml', '/get'],
      ['file:///api/a.yaml', '/post/$ref'],
    ],
  );
});

test('references in a circle, to networks, to no file and to no member are problems', () => {
  const rows: readonly (readonly [unknown, RegExp])[] = [
    [{ $ref: '#/paths/~1a' }, /back to itself/],
    [{ $ref: 'loop.yaml' }, /back to itself/],
    [{ $ref: 'https://example.com/a.yaml#/a' }, /network/],
    [{ $ref: '//example.com/a.yaml' }, /network/],
    [{ $ref: 'data:application/json,{}' }, /network/],
    [{ $ref: 'none.yaml' }, /does not exist/],
    [{ $ref: '#/none' }, /leads nowhere/],
    [{ $ref: '#/__proto__' }, /leads nowhere/],
    [{ $ref: '#anchor' }, /no JSON pointer/],
    [{ $ref: 'text.yaml' }, /no object/],
    [{ $ref: 7 }, /has to be text/],
  ];
  for (const [item, what] of rows) {
    const { endpoints, problems } = read(
      { paths: { '/a': item } },
      { 'file:///api/loop.yaml': { $ref: 'openapi.yaml#/paths/~1a' }, 'file:///api/text.yaml': 'text' },
    );
    assert.equal(endpoints.length, 0);
    assert.equal(problems.length, 1, JSON.stringify(item));
    assert.match(problems[0]?.what ?? '', what);
  }
});

test('servers put their path before the templates, the innermost level first, variables by their defaults', () => {
  const paths = {
    '/a': { get: {} },
    '/b': {
      servers: [{ url: '/item' }],
      get: {},
      post: { servers: [{ url: 'https://x.example/op/{v}/', variables: { v: { default: 'v3' } } }] },
    },
    '/c': { servers: [], get: {} },
  };
  const servers = [
    {
      url: 'https://{region}.example.com:{port}/v1',
      variables: { region: { default: 'eu' }, port: { default: '443' } },
    },
  ];
  assert.deepEqual(templates(read({ servers, paths })), ['GET /v1/a', 'GET /item/b', 'POST /op/v3/b', 'GET /v1/c']);
  assert.deepEqual(templates(read({ servers, paths }, {}, { servers: 'ignore' })), [
    'GET /a',
    'GET /b',
    'POST /b',
    'GET /c',
  ]);
});

test('servers that disagree are noted once, and those that say no path are problems', () => {
  const two = read({
    servers: [{ url: 'https://a.example/v1' }, { url: 'https://b.example' }],
    paths: { '/a': { get: {}, post: {} } },
  });
  assert.deepEqual(templates(two), ['GET /v1/a', 'POST /v1/a']);
  assert.deepEqual(
    two.problems.map(({ level }) => level),
    ['note'],
  );
  for (const [server, what] of [
    [{ url: '{base}/v1' }, /no default/],
    [{ url: 'v1' }, /no whole path/],
    [{ url: '//host/v1' }, /no whole path/],
    [{ url: '/v1?x=1' }, /query/],
    [{}, /url/],
    [7, /url/],
    [{ url: '/../v1' }, /dot segment/],
  ] as const) {
    const { endpoints, problems } = read({ servers: [server], paths: { '/a': { get: {} } } });
    assert.equal(endpoints.length, 0, JSON.stringify(server));
    assert.match(problems[0]?.what ?? '', what);
  }
});

test('methods that OpenAPI 3.2 adds are read where the gate passes them, and told where it does not', () => {
  const { endpoints, problems } = read({
    openapi: '3.2.0',
    $self: 'https://example.com/api',
    paths: { '/a': { query: {}, additionalOperations: { COPY: {}, LOCK: {} } } },
  });
  assert.deepEqual(
    endpoints.map(({ method }) => method),
    ['QUERY'],
  );
  assert.deepEqual(
    problems.map(({ level, pointer }) => `${level} ${pointer}`),
    ['note /$self', 'note /paths/~1a/additionalOperations/COPY', 'note /paths/~1a/additionalOperations/LOCK'],
  );
});

test('a pointer leads to the member whose names it was made of, whatever they are', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }), (names) => {
      const document = names.reduceRight<unknown>((value, name) => ({ [name]: value }), 'found');
      const pointer = pointerTo(...names);
      const inUrl = new URL(`file:///x#${encodeURIComponent(pointer).replaceAll('%2F', '/')}`).hash.slice(1);
      if (names.includes('__proto__')) return;
      assert.equal(memberAt(document, namesInPointer(inUrl) ?? []), 'found');
    }),
  );
});

test('whatever stands in a description, reading it ends and throws nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (item, servers) => {
      read({ paths: { '/a': item, '/b': { get: item, parameters: [item], $ref: '#/paths/~1a' } }, servers } as object);
    }),
  );
});
