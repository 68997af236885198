import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isProblem } from '@postern/schemas';
import { loadConfig } from './load.ts';
import { loadModel } from './model.ts';

/** The model of these files, or its mistakes as `file:line: what`. */
const load = (files: Record<string, string>) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-routes-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const told = ({ file, line, what }: { file: string; line: number; what: string }): string =>
      `${file.replace(`${folder}/`, '')}:${line}: ${what}`;
    try {
      const { services, notes } = loadModel(loadConfig(join(folder, 'postern.yaml'), {}));
      return { endpoints: services.flatMap(({ endpoints }) => endpoints), notes: notes.map(told), mistakes: [] };
    } catch (error) {
      if (!isProblem(error)) throw error;
      const mistakes = error.members['mistakes'] as Parameters<typeof told>[0][];
      return { endpoints: [], notes: [], mistakes: mistakes.map(told) };
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
};
const service = (...members: string[]): string =>
  [
    'services:',
    '  payroll:',
    '    upstream: http://127.0.0.1:1/',
    '    mount: /payroll',
    ...members.map((each) => `    ${each}`),
  ].join('\n');
const routesOf = ({ endpoints }: ReturnType<typeof load>) =>
  endpoints.map(({ id, method, template, access }) => `${id} ${method} ${template} ${access}`);

test('an OpenAPI description in several files, YAML and JSON, is read whole', () => {
  const found = load({
    'postern.yaml': service('openapi: a.yaml'),
    'a.yaml': 'openapi: 3.1.0\nservers: [{ url: /v1 }]\npaths:\n  /a: { $ref: b.json#/item }\n',
    'b.json': '{ "item": { "get": { "operationId": "a" } } }',
  });
  assert.deepEqual([found.mistakes, found.notes], [[], []]);
  assert.deepEqual(routesOf(found), ['payroll/a GET /v1/a read']);
});

test('a mistake is told with the file and line where it stands, whatever file that is', () => {
  const { mistakes } = load({
    'postern.yaml': service('openapi: a.yaml'),
    'a.yaml':
      'openapi: 3.1.0\npaths:\n  /a: { $ref: b.yaml#/item }\n  /b:\n    get:\n      $ref: c.yaml\n  /c: { $ref: d.yaml }\n',
    'b.yaml': '# words\nitem:\n  get:\n    operationId: a\n    x-postern: { access: root }\n',
    'd.yaml': 'a: 1\nb: [}',
  });
  assert.equal(mistakes.length, 3);
  assert.match(mistakes[0] ?? '', /^b\.yaml:4: \/item\/get access/);
  assert.match(mistakes[1] ?? '', /^a\.yaml:6: .*c\.yaml leads to a file that cannot be read: the file does not exist/);
  assert.match(mistakes[2] ?? '', /^a\.yaml:7: .*d\.yaml leads to a file that cannot be read: .*line 2/);
});

test('a route file goes over the OpenAPI document, with lines for its mistakes', () => {
  const openapi = 'openapi: 3.0.3\npaths: { "/a/{x}": { get: { operationId: a } } }\n';
  const found = load({
    'postern.yaml': service('openapi: a.yaml', 'routes: r.yaml'),
    'a.yaml': openapi,
    'r.yaml': '- GET /a/{id}: { access: admin }\n- POST /b\n',
  });
  assert.deepEqual(routesOf(found), ['payroll/a GET /a/{id} admin', 'payroll/POST-/b POST /b write']);
  const alone = load({ 'postern.yaml': service('routes: r.yaml'), 'r.yaml': '- GET /a\n' });
  assert.deepEqual(routesOf(alone), ['payroll/GET-/a GET /a read']);
  const wrong = load({ 'postern.yaml': service('routes: r.yaml'), 'r.yaml': '- GET /a\n- GET /b: { acess: read }\n' });
  assert.deepEqual(wrong.mistakes, ['r.yaml:2: unknown key "acess" in 1.GET /b']);
  const twice = load({ 'postern.yaml': service('routes: r.yaml'), 'r.yaml': '- GET /a\n- PUT /b\n- GET /a\n' });
  assert.deepEqual(twice.mistakes, ['r.yaml:3: "GET /a" matches the same requests as "GET /a"']);
});

test('a gRPC method is an endpoint that writes, unless it says that it has no side effects', () => {
  const found = load({
    'postern.yaml': service('grpc: p.proto'),
    'p.proto': `syntax = "proto3";
package pay.v1;
import "google/api/annotations.proto";
service Payroll {
  rpc Get(A) returns (B) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Put(stream A) returns (stream B) { option idempotency_level = IDEMPOTENT; }
}
message A {} message B {}`,
  });
  assert.match(found.notes[0] ?? '', /^postern\.yaml:5: gRPC needs HTTP\/2/);
  assert.deepEqual(routesOf(found), [
    'payroll/pay=2Ev1=2EPayroll/Get POST /pay.v1.Payroll/Get read',
    'payroll/pay=2Ev1=2EPayroll/Put POST /pay.v1.Payroll/Put write',
  ]);
  const wrong = load({ 'postern.yaml': service('grpc: p.proto'), 'p.proto': 'syntax = "proto3";\nservice {' });
  assert.deepEqual(wrong.mistakes, ["p.proto:2: illegal service name '{'"]);
  const none = load({ 'postern.yaml': service('grpc: p.proto'), 'p.proto': 'syntax = "proto3";\nmessage A {}' });
  assert.match(none.mistakes[0] ?? '', /no method/);
});

test('imports are followed, and open nothing but what is passed on publicly', () => {
  const main = (...imports: string[]) =>
    `syntax = "proto3";\npackage pay;\n${imports.map((each) => `import ${each};`).join('\n')}\nservice Payroll {\n  rpc Get(types.Id) returns (google.protobuf.Empty);\n}`;
  const files = {
    'postern.yaml': service('protocol: http2', 'grpc: api/v1/p.proto'),
    'api/v1/p.proto': main(
      '"google/protobuf/empty.proto"',
      '"google/api/annotations.proto"',
      '"api/types.proto"',
      'public "more.proto"',
    ),
    'api/types.proto':
      'syntax = "proto3";\npackage types;\nmessage Id { string id = 1; }\nservice Inner { rpc Never(Id) returns (Id); }',
    'api/v1/more.proto':
      'syntax = "proto3";\npackage pay;\nimport "api/types.proto";\nservice More { rpc Put(types.Id) returns (types.Id); }',
  };
  const found = load(files);
  assert.deepEqual([found.mistakes, found.notes], [[], []]);
  assert.deepEqual(routesOf(found), [
    'payroll/pay=2EPayroll/Get POST /pay.Payroll/Get write',
    'payroll/pay=2EMore/Put POST /pay.More/Put write',
  ]);
  const included = load({
    ...files,
    'postern.yaml': service('protocol: http2', 'grpc: { files: p.proto, include: [elsewhere] }'),
    'p.proto': main('"google/protobuf/empty.proto"', '"types.proto"'),
    'elsewhere/types.proto': files['api/types.proto'],
  });
  assert.deepEqual(included.mistakes, []);
});

test('an import that is missing, and a type that no file declares, are told where they stand', () => {
  const files = (text: string) => ({ 'postern.yaml': service('protocol: http2', 'grpc: p.proto'), 'p.proto': text });
  const missing = load(
    files('syntax = "proto3";\n\nimport "lost/types.proto";\nservice A { rpc Get(types.Id) returns (types.Id); }'),
  );
  assert.deepEqual(missing.mistakes, ['p.proto:3: the import "lost/types.proto" is found nowhere']);
  const deep = load({
    ...files('syntax = "proto3";\nimport "a.proto";\nservice A { rpc Get(Id) returns (Id); }'),
    'a.proto':
      'syntax = "proto3";\nimport "p.proto";\n// a circle is none of our business\nimport "b.proto";\nmessage Id {}',
  });
  assert.deepEqual(deep.mistakes, ['a.proto:4: the import "b.proto" is found nowhere']);
  const unknown = load(files('syntax = "proto3";\nmessage Id {}\nservice A {\n  rpc Get(Id) returns (Nothing);\n}'));
  assert.deepEqual(unknown.mistakes, ['p.proto:4: A/Get: no file declares Nothing']);
  const broken = load({
    ...files('syntax = "proto3";\nimport "a.proto";\nservice A { rpc Get(Id) returns (Id); }'),
    'a.proto': 'syntax = "proto3";\nmessage {',
  });
  assert.deepEqual(broken.mistakes, ["a.proto:2: illegal type name '{'"]);
});

test('an object rule that could never be asked is told by check, not by a refusal', () => {
  const rule = (key: string, named: string) =>
    `- ${key}: { objects: [{ type: employee, ${named}, permission: view }] }\n`;
  const at = (text: string) =>
    load({
      'postern.yaml': service('protocol: http2', 'grpc: p.proto', 'graphql: { schema: s.graphql }', 'routes: r.yaml'),
      'p.proto': 'syntax = "proto3"; message A {} service S { rpc Get(A) returns (A); }',
      's.graphql': 'type Query { employee(id: ID): Int }',
      'r.yaml': text,
    });
  assert.deepEqual(at(rule('query.employee', 'argument: id')).mistakes, []);
  assert.deepEqual(at(rule('query.employee', 'argument: name')).mistakes, [
    'r.yaml:1: an object rule names the argument name, which query.employee does not take',
  ]);
  assert.match(at(rule('POST /S/Get', 'argument: id')).mistakes[0] ?? '', /^r\.yaml:1: .*a gRPC message is not read/);
  assert.match(at(rule('POST /S/Get', 'parameter: id')).mistakes[0] ?? '', /^r\.yaml:1: the template has no \{id\}/);
  assert.match(at(rule('query.employee', 'parameter: id')).mistakes[0] ?? '', /^r\.yaml:1: .*names an argument/);
});

test("a GraphQL schema's root fields are endpoints, whatever its root types are called and wherever they are extended", () => {
  const found = load({
    'postern.yaml': service('graphql: { schema: s.graphql }'),
    's.graphql':
      'schema { query: Root mutation: Change }\ntype Root { a(id: ID!): Int }\nextend type Root { b: Int }\ntype Change { c: Int }\ntype Query { hidden: Int }',
  });
  assert.deepEqual(routesOf(found), [
    'payroll/query=2Ea POST /graphql read',
    'payroll/query=2Eb POST /graphql read',
    'payroll/mutation=2Ec POST /graphql write',
    'payroll/query=2E__schema POST /graphql read',
    'payroll/query=2E__type POST /graphql read',
    'payroll/query=2E__typename POST /graphql read',
    'payroll/mutation=2E__typename POST /graphql read',
  ]);
  const wrong = load({
    'postern.yaml': service('graphql: { schema: s.graphql }'),
    's.graphql': 'type Query {\n  a: Int\n  b Int }',
  });
  assert.match(wrong.mistakes[0] ?? '', /^s\.graphql:3: Syntax Error/);
});

test('a persisted document is known by its own SHA-256 and by no other name', () => {
  const document = 'query A { a }';
  const digest = createHash('sha256').update(document).digest('hex');
  const files = (persisted: unknown) => ({
    'postern.yaml': service('graphql: { schema: s.graphql, persisted: p.json }'),
    's.graphql': 'type Query { a: Int }',
    'p.json': JSON.stringify(persisted, undefined, 1),
  });
  assert.deepEqual(load(files({ [digest]: document })).mistakes, []);
  const manifest = {
    format: 'apollo-persisted-query-manifest',
    version: 1,
    operations: [{ id: digest, body: document }],
  };
  assert.deepEqual(load(files(manifest)).mistakes, []);
  assert.match(
    load(files({ [digest]: document, getA: document })).mistakes[0] ?? '',
    /^p\.json:3: the id "getA" is not/,
  );
  assert.match(load(files({ [digest]: 7 })).mistakes[0] ?? '', /^p\.json:2: an entry has to be/);
});

test("an MCP server's tools are endpoints: one that says it only reads, reads", () => {
  const tools = {
    tools: [{ name: 'search', annotations: { readOnlyHint: true }, inputSchema: {} }, { name: 'delete.all' }],
  };
  const found = load({ 'postern.yaml': service('mcp: { tools: ./t.json }'), 't.json': JSON.stringify(tools) });
  assert.deepEqual(routesOf(found).slice(0, 3), [
    'payroll/tool=2Esearch POST /mcp read',
    'payroll/tool=2Edelete=2Eall POST /mcp write',
    'payroll/rpc=2Einitialize POST /mcp read',
  ]);
  const inline = load({ 'postern.yaml': service('mcp: { path: /x, tools: [a, { name: b, access: admin }] }') });
  assert.deepEqual(routesOf(inline).slice(0, 2), ['payroll/tool=2Ea POST /x write', 'payroll/tool=2Eb POST /x admin']);
  const twice = load({ 'postern.yaml': service('mcp: { tools: [a, a] }') });
  assert.match(twice.mistakes[0] ?? '', /^postern\.yaml:5: the tool a stands twice/);
});

test('two descriptions of one place are a mistake, and one that seems to hide operations is noted', () => {
  const openapi = 'openapi: 3.0.3\npaths: { /graphql: { post: { operationId: g } } }\n';
  const clash = load({
    'postern.yaml': service('openapi: a.yaml', 'graphql: { schema: s.graphql }'),
    'a.yaml': openapi,
    's.graphql': 'type Query { a: Int }',
  });
  assert.match(clash.mistakes[0] ?? '', /^postern\.yaml:6: POST \/graphql is described by openapi too/);
  const hiding = load({ 'postern.yaml': service('openapi: a.yaml'), 'a.yaml': openapi });
  assert.match(hiding.notes[0] ?? '', /many operations hide behind it/);
  const opaque = load({
    'postern.yaml': service('openapi: a.yaml', 'routes: r.yaml'),
    'a.yaml': openapi,
    'r.yaml': '- POST /graphql: { opaque: true }\n',
  });
  assert.deepEqual(opaque.notes, []);
});

test('roles name endpoints as people read them', () => {
  const found = load({
    'postern.yaml': `${service('graphql: { schema: s.graphql }')}\nmodel: { roles: roles.yaml }\n`,
    's.graphql': 'type Query { salary: Int }',
    'roles.yaml': 'reader: { allows: [{ endpoint: payroll/query.salary }] }\n',
  });
  assert.deepEqual(found.mistakes, []);
});
