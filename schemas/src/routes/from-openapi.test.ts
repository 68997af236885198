import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readTarget } from './canonical.ts';
import { endpointsFromOpenApi } from './from-openapi.ts';
import { routeMatcher } from './match.ts';
import { parseTemplate } from './template.ts';

const github = JSON.parse(readFileSync(new URL('../../fixtures/github-openapi.json', import.meta.url), 'utf8'));
const document = (paths: object, more: object = {}) => ({ openapi: '3.1.0', info: {}, paths, ...more });

test("GitHub's 1,223 operations become as many endpoints, each of the right class", () => {
  const { endpoints, problems } = endpointsFromOpenApi('github', github);
  assert.deepEqual(
    problems.filter(({ level }) => level === 'error'),
    [],
  );
  assert.equal(endpoints.length, 1_223);
  assert.equal(new Set(endpoints.map(({ id }) => id)).size, 1_223);
  assert.equal(endpoints.filter(({ access }) => access === 'read').length, 639);
  for (const { method, access } of endpoints) assert.equal(access, method === 'GET' ? 'read' : 'write');
  const contents = endpoints.find(({ id }) => id === 'github/repos/get-content');
  assert.equal(contents?.template, '/repos/{owner}/{repo}/contents/{path+}');
  const status = endpoints.find(({ id }) => id === 'github/repos/get-combined-status-for-ref');
  assert.equal(status?.template, '/repos/{owner}/{repo}/commits/{ref}/status');
  assert.ok(problems.some(({ pointer }) => pointer === '/paths/~1repos~1{owner}~1{repo}~1commits~1{ref}~1status/get'));
});

test('every GitHub operation is found by its own template', () => {
  const { endpoints } = endpointsFromOpenApi('github', github);
  const matcher = routeMatcher([{ name: 'github', mount: '/github', endpoints }]);
  for (const endpoint of endpoints) {
    const sample = endpoint.template.replace(/\{([\w-]+)\+\}/g, 'p-$1/q-$1').replace(/\{([\w-]+)\}/g, 'p-$1');
    const target = readTarget(`/github${sample}`);
    assert.equal(target.outcome, 'read', sample);
    if (target.outcome === 'read')
      assert.equal(matcher.match(endpoint.method, target)?.endpoint.id, endpoint.id, sample);
    assert.equal(parseTemplate(endpoint.template).outcome, 'parsed');
  }
});

test('x-postern says access, public and websocket, the operation over its path item', () => {
  const { endpoints, problems } = endpointsFromOpenApi(
    'shop',
    document({
      '/a': {
        'x-postern': { access: 'admin' },
        get: {},
        post: { operationId: 'b.c', 'x-postern': { access: 'write', public: true } },
      },
      '/ws': { get: { operationId: 'live', 'x-postern': { websocket: true } } },
      '/q': { query: { operationId: 'search' }, options: { operationId: 'look' } },
    }),
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(endpoints, [
    { id: 'shop/GET-/a', method: 'GET', template: '/a', access: 'admin' },
    { id: 'shop/b=2Ec', method: 'POST', template: '/a', access: 'write', public: true },
    { id: 'shop/live', method: 'GET', template: '/ws', access: 'read', websocket: true },
    { id: 'shop/search', method: 'QUERY', template: '/q', access: 'read' },
    { id: 'shop/look', method: 'OPTIONS', template: '/q', access: 'read' },
  ]);
});

test('a path item is found behind its $ref, and a $ref that leads nowhere is a problem', () => {
  const { endpoints, problems } = endpointsFromOpenApi(
    'shop',
    document(
      {
        '/a': { $ref: '#/components/pathItems/A~1x' },
        '/b': { $ref: '#/nowhere' },
        '/c': { $ref: '#/paths/~1c' },
        '/d': { $ref: 'other.yaml' },
      },
      { components: { pathItems: { 'A/x': { get: { operationId: 'a' } } } } },
    ),
  );
  assert.deepEqual(
    endpoints.map(({ id }) => id),
    ['shop/a'],
  );
  assert.deepEqual(
    problems.map(({ pointer }) => pointer),
    ['/paths/~1b/$ref', '/paths/~1c/$ref', '/paths/~1d/$ref'],
  );
});

test('what cannot be routed without doubt is a problem at its place, and yields no endpoint', () => {
  const rows: readonly (readonly [object, string, RegExp])[] = [
    [
      { '/a': { get: { operationId: 'x' } }, '/b': { get: { operationId: 'x' } } },
      '/paths/~1b/get',
      /has the id shop\/x/,
    ],
    [{ '/a/{x}': { get: {} }, '/a/{y}': { get: {} } }, '/paths/~1a~1{y}/get', /matches the same requests/],
    [{ '/a/{x+}/b': { get: {} } }, '/paths/~1a~1{x+}~1b/get', /only at the end/],
    [{ '/a/v{x+}': { get: {} } }, '/paths/~1a~1v{x+}/get', /whole segments/],
    [{ '/a/{x}{y}': { get: {} } }, '/paths/~1a~1{x}{y}/get', /nothing between/],
    [{ '/a/{x}/{x}': { get: {} } }, '/paths/~1a~1{x}~1{x}/get', /stands twice/],
    [{ '/a/../b': { get: {} } }, '/paths/~1a~1..~1b/get', /dot segment/],
    [{ '/a//b': { get: {} } }, '/paths/~1a~1~1b/get', /empty segment/],
    [{ '/a/{x': { get: {} } }, '/paths/~1a~1{x/get', /brace/],
    [{ a: { get: {} } }, '/paths/a/get', /begins with a slash/],
    [{ '/a': { trace: {} } }, '/paths/~1a/trace', /TRACE/],
    [{ '/a': { head: {} } }, '/paths/~1a/head', /no GET/],
    [{ '/a': { get: { 'x-postern': { acess: 'admin' } } } }, '/paths/~1a/get', /acess/],
    [{ '/a': { get: { 'x-postern': { access: 'root' } } } }, '/paths/~1a/get', /access/],
    [{ '/a': { get: { 'x-postern': { id: 'other/x' } } } }, '/paths/~1a/get', /x-postern knows access, public/],
    [{ '/a': { get: null } }, '/paths/~1a/get', /has to be an object/],
    [{ '/a': 7 }, '/paths/~1a', /has to be an object/],
  ];
  for (const [paths, pointer, what] of rows) {
    const { problems } = endpointsFromOpenApi('shop', document(paths));
    assert.equal(problems.length, 1, JSON.stringify(paths));
    assert.equal(problems[0]?.pointer, pointer);
    assert.match(problems[0]?.what ?? '', what);
  }
  for (const wrong of [null, 7, [], {}, { swagger: '2.0' }, { openapi: '3.0.0', paths: 7 }])
    assert.equal(endpointsFromOpenApi('shop', wrong).problems.length, 1, JSON.stringify(wrong));
});
