/** What an assertion can name, judged by the real engine: tokens, agents, objects, and operations that only a body tells apart. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CheckReport, checkModel } from '@postern/modelling/app';
import { loadConfig } from '@postern/runtime';
import { stringify } from 'yaml';
import { checkDeps } from './check.ts';

const files: Readonly<Record<string, string>> = {
  'postern.yaml': `services:
  payroll: { upstream: http://127.0.0.1:9001, mount: /payroll, openapi: ./payroll.yaml }
  shop: { upstream: http://127.0.0.1:9001, mount: /shop, graphql: { path: /graphql, schema: ./shop.graphql } }
  notes: { upstream: http://127.0.0.1:9001, mount: /notes, mcp: { path: /mcp, tools: [{ name: search, access: read }, delete_note] } }
  ledger: { upstream: http://127.0.0.1:9001, mount: /ledger, grpc: ./ledger.proto }
model: { schema: ./own.zed, roles: ./roles.yaml, assertions: ./assertions.yaml }
`,
  'payroll.yaml': `openapi: 3.1.0
paths:
  /employees:
    get: { operationId: list, x-postern: { scopes: [payroll.read] } }
    post: { operationId: add, x-postern: { scopes: [payroll.read, payroll.write] } }
  /employees/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: get, x-postern: { object: { type: employee, parameter: id, permission: view } } }
`,
  'shop.graphql': 'type Query { product: String, orders: String }\ntype Mutation { cancelOrder: String }\n',
  'ledger.proto': `syntax = "proto3";
package ledger.v1;
service Ledger {
  rpc GetEntry(Id) returns (Id) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Post(Id) returns (Id);
}
message Id { string id = 1; }
`,
  'own.zed': `definition department {
	relation head: user
	permission lead: user = head
}
definition employee {
	relation self_service: user
	relation manager: user | group#member
	relation department: department
	permission view: user | workload = self_service + manager + department->lead
}
`,
  'roles.yaml': `payroll-writer: { allows: [{ service: payroll, access: write }] }
careful: { allows: [{ service: payroll, access: write }] }
shopper: { allows: [{ endpoint: shop/query.product }, { endpoint: shop/query.orders }] }
note-reader: { allows: [{ service: notes, access: read }] }
bookkeeper: { allows: [{ service: ledger, access: read }] }
all-files: { allows: [{ object: "employee:*", permission: view }] }
`,
};

const checked = (given: readonly string[], asserted: readonly string[]): Promise<CheckReport> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-assertions-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const assertions = { at: '2026-11-24T09:00:00Z', given, assert: asserted };
  writeFileSync(join(folder, 'assertions.yaml'), stringify(assertions));
  const loaded = loadConfig(join(folder, 'postern.yaml'), {});
  return checkModel(checkDeps, { loaded, now: '2026-11-24T09:00:00Z' });
};
const told = ({ findings }: CheckReport) => findings.filter(({ level }) => level === 'error').map(({ what }) => what);
/** All of them hold; and each of them turned round does not, so that none of them holds for want of a question. */
const holds = async (given: readonly string[], asserted: readonly string[]): Promise<void> => {
  const report = await checked(given, asserted);
  assert.deepEqual(told(report), []);
  const turned = asserted.map((each) =>
    each.replace(/ (can|cannot) /, (_, can) => (can === 'can' ? ' cannot ' : ' can ')),
  );
  const wrong = await checked(given, turned);
  assert.deepEqual(
    wrong.assertions.filter(({ failure }) => failure === undefined).map(({ text }) => text),
    [],
  );
};

test('a delegated token calls what its scopes name and its owner may; one without a scope claim what its owner may', async () => {
  await holds(
    ['user:ann holds payroll-writer', 'user:eve joined'],
    [
      'user:ann can GET /payroll/employees',
      'user:ann with scopes payroll.read can GET /payroll/employees',
      'user:ann with scopes payroll.read cannot POST /payroll/employees',
      'user:ann with scopes payroll.read,payroll.write can POST /payroll/employees',
      'user:ann with no scopes cannot GET /payroll/employees',
      'user:eve with scopes payroll.read,payroll.write cannot GET /payroll/employees',
    ],
  );
  const [why] = told(
    await checked(['user:ann holds payroll-writer'], ['user:ann with scopes payroll.read can POST /payroll/employees']),
  );
  assert.match(why ?? '', /payroll\/add asks for the scopes payroll\.write, which the token lacks/);
});

test('step-up: a condition on acr or amr is met by the claims of the token alone', async () => {
  await holds(
    ['user:ann holds careful with acr gold,platinum with amr hwk,otp'],
    [
      'user:ann with acr gold and amr otp,hwk,pwd can POST /payroll/employees',
      'user:ann with acr gold and amr otp cannot POST /payroll/employees',
      'user:ann with acr silver and amr otp,hwk cannot POST /payroll/employees',
      'user:ann cannot POST /payroll/employees',
      'user:ann with scopes payroll.read and acr gold and amr hwk,otp cannot POST /payroll/employees',
    ],
  );
});

test('an agent for an agent for a person does what all of them may', async () => {
  await holds(
    [
      'user:ann holds payroll-writer',
      'workload:bot holds payroll-writer',
      'workload:sub holds payroll-writer',
      'workload:idle joined',
    ],
    [
      'workload:bot for user:ann can POST /payroll/employees',
      'workload:sub for workload:bot for user:ann can POST /payroll/employees',
      'workload:sub for workload:idle for user:ann cannot POST /payroll/employees',
      'workload:sub for workload:bot for user:ann with scopes payroll.read cannot POST /payroll/employees',
      'workload:bot for user:eve cannot POST /payroll/employees',
    ],
  );
});

const people = ['user:ann holds payroll-writer', 'user:bob holds payroll-writer', 'user:eve holds payroll-writer'];

test('an object rule is asked with the relationships that facts would tell: over managers, groups, departments and roles', async () => {
  await holds(
    [
      ...people,
      'group:hr has user:eve',
      'employee:42 manager user:ann',
      'employee:43 manager group:hr#member',
      'employee:44 department department:sales',
      'department:sales head user:bob',
      'workload:bot holds payroll-writer',
      'workload:bot holds all-files',
      'user:zoe joined',
      'employee:45 manager user:zoe',
    ],
    [
      'user:ann can GET /payroll/employees/42',
      'user:ann cannot GET /payroll/employees/43',
      'user:eve can GET /payroll/employees/43',
      'user:bob can GET /payroll/employees/44',
      'user:bob cannot GET /payroll/employees/42',
      'workload:bot can GET /payroll/employees/42',
      'workload:bot for user:ann can GET /payroll/employees/42',
      'workload:bot for user:ann cannot GET /payroll/employees/43',
      // The object alone opens no endpoint.
      'user:zoe cannot GET /payroll/employees/45',
    ],
  );
});

test('why an object is open or not names the relationship that leads there, or those that would', async () => {
  const given = [...people, 'employee:44 department department:sales', 'department:sales head user:bob'];
  const why = told(
    await checked(given, ['user:bob cannot GET /payroll/employees/44', 'user:ann can GET /payroll/employees/44']),
  );
  assert.match(
    why[0] ?? '',
    /user:bob holds employee:44#view because employee:44 department department:sales, department:sales head user:bob/,
  );
  assert.match(
    why[1] ?? '',
    /payroll\/get is open, but not employee:44#view; employee:44 self_service, employee:44 manager, employee:44 department->lead, the role all-files would do/,
  );
});

test('whoever leaves stands in no relation: what is given goes the way of facts', async () => {
  await holds(
    [...people, 'employee:42 manager user:ann', 'user:ann left'],
    ['user:ann cannot GET /payroll/employees/42', 'user:bob cannot GET /payroll/employees/42'],
  );
  const refused = await checked(
    ['employee:42 manager group:none#member'],
    ['user:ann cannot GET /payroll/employees/42'],
  );
  assert.match(told(refused)[0] ?? '', /is refused: group:none#member names no members of a group that exists/);
});

test('GraphQL fields, MCP tools, gRPC methods and endpoints are called by their names', async () => {
  await holds(
    ['user:ann holds shopper', 'user:ann holds note-reader', 'user:ann holds bookkeeper'],
    [
      'user:ann can call query product at /shop/graphql',
      'user:ann can call query product, orders',
      'user:ann cannot call mutation cancelOrder at /shop/graphql',
      'user:ann cannot call query product, __schema at /shop/graphql',
      'user:ann can call tool search at /notes/mcp at 2026-11-24T09:00:00Z from 10.0.0.1',
      'user:ann cannot call tool delete_note',
      'user:ann can call method tools/list',
      'user:ann can GET /notes/mcp',
      'user:ann can call rpc ledger.v1.Ledger/GetEntry',
      'user:ann cannot call rpc ledger.v1.Ledger/Post at /ledger',
      'user:ann can POST /ledger/ledger.v1.Ledger/GetEntry',
      'user:ann can call shop/query.orders',
      'user:ann cannot call shop/mutation.cancelOrder',
    ],
  );
  assert.deepEqual(
    told(
      await checked(
        ['user:ann holds note-reader'],
        ['nobody but role:note-reader can call tool search', 'nobody can call tool delete_note'],
      ),
    ),
    [],
  );
});

test('a call that does not say enough passes for no refusal', async () => {
  const said = told(
    await checked(
      ['user:ann holds shopper'],
      [
        'user:ann cannot POST /shop/graphql',
        'user:ann cannot call query produkt',
        'user:ann cannot call tool search at /shop/graphql',
        'user:ann cannot call payroll/get',
      ],
    ),
  );
  assert.equal(said.length, 4);
  for (const [n, reason] of [
    /POST \/shop\/graphql takes many operations, and the body says which/,
    /query produkt is declared nowhere/,
    /tool search is declared nowhere at \/shop\/graphql/,
    /payroll\/get asks for an object, and no path says which/,
  ].entries())
    assert.match(said[n] ?? '', reason);
});

test("coverage counts an engineers' own type by any name, and the gate's example only where a route asks for it", async () => {
  const { coverage } = await checked(
    [...people, 'employee:42 manager user:ann'],
    ['user:ann can GET /payroll/employees/42'],
  );
  assert.equal(coverage?.relations.total, 4);
  assert.deepEqual(coverage?.relations.untouched, ['department#head', 'employee#self_service', 'employee#department']);
  assert.ok(coverage?.routes.untouched.includes('payroll/add'));
  assert.ok(coverage?.roles.untouched.includes('bookkeeper'));
});
