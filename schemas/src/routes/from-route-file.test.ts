import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointIdOf, spelledEndpoints } from '../config/endpoint-spelling.ts';
import { RoutesYaml } from '../config/routes-yaml.ts';
import type { Endpoint } from './endpoint.ts';
import { endpointsFromGraphQl } from './from-graphql.ts';
import { endpointsFromMcp } from './from-mcp.ts';
import { withRouteFile } from './from-route-file.ts';
import { looksHiding } from './hiding.ts';
import { routeMatcher } from './match.ts';

const described = [
  { id: 'payroll/getEmployee', method: 'GET', template: '/employees/{employee}', access: 'read' },
] as unknown as Endpoint[];
const read = (routes: unknown, before: readonly Endpoint[] = described) =>
  withRouteFile('payroll', before, RoutesYaml.parse(routes));

test('a route file adds endpoints and overrides what is said of the same method and template', () => {
  const { endpoints, problems } = read([
    'POST /employees',
    {
      'GET /employees/{id}': { access: 'admin', objects: [{ type: 'employee', parameter: 'id', permission: 'view' }] },
    },
    { 'GET /health': { id: 'health.check', public: true } },
    { 'PUT /all/{rest+}': null },
  ]);
  assert.deepEqual(problems, []);
  assert.deepEqual(endpoints, [
    {
      id: 'payroll/getEmployee',
      method: 'GET',
      template: '/employees/{id}',
      access: 'admin',
      objects: [{ type: 'employee', parameter: 'id', permission: 'view' }],
    },
    { id: 'payroll/POST-/employees', method: 'POST', template: '/employees', access: 'write' },
    { id: 'payroll/health=2Echeck', method: 'GET', template: '/health', access: 'read', public: true },
    { id: 'payroll/PUT-/all/=7Brest+=7D', method: 'PUT', template: '/all/{rest+}', access: 'write' },
  ]);
});

test('an operation is overridden by its name, and its place is no route of its own', () => {
  const operations = [
    ...endpointsFromGraphQl('payroll', '/graphql', [{ type: 'query', field: 'salary' }]),
    ...endpointsFromMcp('payroll', '/mcp', [{ name: 'search' }]),
  ];
  const { endpoints, problems } = read(
    [{ 'query.salary': { access: 'admin' } }, { 'tool.search': { access: 'read' } }],
    operations,
  );
  assert.deepEqual(problems, []);
  assert.equal(endpoints.find(({ id }) => id === 'payroll/query=2Esalary')?.access, 'admin');
  assert.equal(endpoints.find(({ id }) => id === 'payroll/tool=2Esearch')?.access, 'read');
  assert.match(read(['POST /graphql'], operations).problems[0]?.what ?? '', /place of operations/);
  assert.match(read(['query.nothing'], operations).problems[0]?.what ?? '', /names no operation/);
});

test('every mistake in a route file is told at its entry', () => {
  const rows: readonly (readonly [unknown, readonly PropertyKey[], RegExp])[] = [
    [['FETCH /a'], [0, 'FETCH /a'], /no method/],
    [['GET a'], [0, 'GET a'], /begins with a slash/],
    [['GET /a/{x'], [0, 'GET /a/{x'], /brace/],
    [['GET /a/{x}', 'GET /a/{y}'], [1, 'GET /a/{y}'], /same requests/],
    [[{ 'GET /a': { id: 'getEmployee' } }], [0, 'GET /a'], /has the id/],
    [
      [{ 'GET /a/{id}': { objects: [{ type: 'employee', parameter: 'who', permission: 'view' }] } }],
      [0, 'GET /a/{id}', 'objects'],
      /no \{who\}/,
    ],
  ];
  for (const [routes, path, what] of rows) {
    const { problems } = read(routes);
    assert.deepEqual(
      problems.map((problem) => problem.path),
      [path],
      JSON.stringify(routes),
    );
    assert.match(problems[0]?.what ?? '', what);
  }
  for (const wrong of [
    7,
    { 'GET /a': {} },
    [7],
    [{}],
    [{ 'GET /a': null, 'GET /b': null }],
    [{ 'GET /a': { acess: 'read' } }],
  ])
    assert.equal(RoutesYaml.safeParse(wrong).success, false, JSON.stringify(wrong));
});

test('a GraphQL field and an MCP tool share a place, and the matcher tells all that do', () => {
  const endpoints = endpointsFromGraphQl('gr', '/graphql', [
    { type: 'query', field: 'a' },
    { type: 'mutation', field: 'b' },
  ]);
  const matcher = routeMatcher([{ name: 'gr', mount: '/g', endpoints }]);
  const target = { path: '/g/graphql', segments: ['g', 'graphql'] };
  const idsOf = (method: string) => matcher.match(method, target)?.operations?.map(({ id }) => id);
  assert.deepEqual(
    idsOf('POST'),
    endpoints.map(({ id }) => id),
  );
  assert.deepEqual(idsOf('GET'), ['gr/query=2Ea', 'gr/query=2E__schema', 'gr/query=2E__type', 'gr/query=2E__typename']);
  assert.deepEqual(
    endpoints.map(({ access }) => access),
    ['read', 'write', 'read', 'read', 'read', 'read'],
  );
});

test('operations go before a route of the same place that would pass the body unread, in either order', () => {
  const plain = { id: 'gr/plain', method: 'POST', template: '/graphql', access: 'read' } as unknown as Endpoint;
  const operations = endpointsFromGraphQl('gr', '/graphql', [{ type: 'query', field: 'a' }]);
  for (const endpoints of [
    [plain, ...operations],
    [...operations, plain],
  ]) {
    const matcher = routeMatcher([{ name: 'gr', mount: '/g', endpoints }]);
    const match = matcher.match('POST', { path: '/g/graphql', segments: ['g', 'graphql'] });
    assert.equal(match?.operations?.length, operations.length);
  }
});

test('a path that looks as if operations hide behind it is told, unless somebody has said what it is', () => {
  const at = (template: string, more: object = {}) => looksHiding({ ...described[0], template, ...more } as Endpoint);
  assert.deepEqual(
    ['/graphql', '/api/GraphQL', '/v1/$batch', '/mcp', '/rpc'].map((path) => at(path)),
    Array(5).fill(true),
  );
  assert.equal(at('/employees'), false);
  assert.equal(at('/graphql', { opaque: true }), false);
  assert.equal(at('/graphql', { opaque: false }), false);
});

test('an endpoint may be written as people read it', () => {
  assert.equal(endpointIdOf('payroll/query.salary'), 'payroll/query=2Esalary');
  assert.equal(endpointIdOf('payroll/query=2Esalary'), 'payroll/query=2Esalary');
  assert.equal(endpointIdOf('payroll'), undefined);
  assert.equal(endpointIdOf('payroll/'), undefined);
  assert.deepEqual(spelledEndpoints({ r: { allows: [{ endpoint: 'pay/a.b/C' }, { service: 'pay' }] } }), {
    r: { allows: [{ endpoint: 'pay/a=2Eb/C' }, { service: 'pay' }] },
  });
});
