import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { endpointsFromGraphQl, endpointsFromMcp } from '@postern/schemas';
import { granted, joined, keyed, left, role, routes, say } from './trial/facts.ts';
import { startTrial } from './trial/gate.ts';

const facts = [
  routes('payroll', '/payroll', { id: 'payroll/list', method: 'GET', template: '/employees' }),
  role('payroll-reader', { service: 'payroll', access: 'read' }),
  joined('user:ann'),
  joined('user:bob'),
  granted('user:ann', 'payroll-reader').issued,
  keyed('credential:ka', 'user:ann', 'psk_ann'),
  granted('credential:ka', 'payroll-reader').issued,
  keyed('credential:kb', 'user:bob', 'psk_bob'),
];
const ann = { 'x-api-key': 'psk_ann' };
const bob = { 'x-api-key': 'psk_bob' };
const observed = { payroll: '2999-01-01T00:00:00Z', postern: '2999-01-01T00:00:00Z' };

test('an observed service lets through whoever lacks a grant, says so, and writes down what it would have refused', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { observed } });
  const would = await gate.get('/payroll/employees', bob);
  assert.deepEqual([would.status, would.headers.get('postern-observed')], [200, 'would-refuse']);
  const granted = await gate.get('/payroll/employees', ann);
  assert.deepEqual([granted.status, granted.headers.get('postern-observed')], [200, null]);
  assert.equal(
    gate.upstream.seen.every(({ headers }) => headers['postern-observed'] === undefined),
    true,
  );
  const [first, second] = await gate.decisions(2);
  assert.deepEqual(
    [first?.outcome, first?.observed, first?.reason, first?.principal],
    ['allow', 'no-grant', undefined, 'user:bob'],
  );
  assert.deepEqual([second?.outcome, second?.observed], ['allow', undefined]);
  assert.deepEqual(gate.proxy.observing?.(), [{ service: 'payroll', until: observed.payroll }]);
});

test('observing lets nothing else through: no bad credential, no unknown path, no ambiguity, no leaver', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { observed } });
  assert.equal((await gate.get('/payroll/employees')).status, 401);
  assert.equal((await gate.get('/payroll/employees', { 'x-api-key': 'psk_nobody' })).status, 401);
  assert.equal((await gate.get('/payroll/elsewhere', bob)).status, 403);
  assert.equal((await gate.get('/payroll/a%2Fb', bob)).status, 400);
  await gate.tell(left('user:bob'));
  assert.notEqual((await gate.get('/payroll/employees', bob)).status, 200);
  assert.equal(gate.upstream.seen.length, 0);
});

test("Postern's own service is enforced whatever the configuration says", async () => {
  await using log = await openEventLog('memory:');
  const own = routes('postern', '/.postern', { id: 'postern/listRoles', method: 'GET', template: '/roles' });
  await using gate = await startTrial(log, [...facts, own], { config: { observed }, service: 'postern' });
  assert.equal((await gate.get('/.postern/roles', bob)).status, 403);
});

test('from its date on the service is enforced by itself, and a role given meanwhile counts', async () => {
  await using log = await openEventLog('memory:');
  const soon = { payroll: '2020-01-01T00:00:00Z' };
  await using gate = await startTrial(log, facts, { config: { observed: soon } });
  assert.equal((await gate.get('/payroll/employees', bob)).status, 403);
  gate.proxy.configureObserved(observed);
  assert.equal((await gate.get('/payroll/employees', bob)).status, 200);
  gate.proxy.configureObserved(soon);
  await gate.tell(granted('user:bob', 'payroll-reader').issued, granted('credential:kb', 'payroll-reader').issued);
  assert.equal((await gate.get('/payroll/employees', bob)).status, 200);
  await gate.tell(say('postern.role.retired.v1', { role: 'payroll-reader' }));
  assert.equal((await gate.get('/payroll/employees', bob)).status, 403);
});

const tools = endpointsFromMcp('payroll', '/mcp', [
  { name: 'search', access: 'read' },
  { name: 'pay' },
  { name: 'fire' },
]);
const operations = [
  ...endpointsFromGraphQl('payroll', '/graphql', [
    { type: 'query', field: 'salary' },
    { type: 'query', field: 'secrets' },
    { type: 'query', field: 'timed' },
  ]),
  ...tools,
];
const withOperations = [
  say('postern.routes.published.v1', {
    service: 'payroll',
    mount: '/payroll',
    part: 1,
    parts: 1,
    digest: 'x',
    endpoints: operations,
  } as never),
  role('some', ...['query=2Esalary', 'rpc=2Etools/list'].map((name) => ({ endpoint: `payroll/${name}` }))),
  joined('user:ann'),
  granted('user:ann', 'some').issued,
  keyed('credential:ka', 'user:ann', 'psk_ann'),
  granted('credential:ka', 'some').issued,
];
const post = (url: string, body: object): Promise<Response> =>
  fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { ...ann, 'content-type': 'application/json' } });

test('a request of several operations is observed only where every refused one passes', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, withOperations, {
    config: { observed },
    deps: {
      decisionPoint: {
        decide: async (questions) =>
          questions.map(({ endpoint, atLeast: sequence }) => {
            if (endpoint === 'payroll/query=2Esalary') return { outcome: 'allow', sequence, dependsOn: [] };
            const reason = endpoint === 'payroll/query=2Etimed' ? 'context-missing' : 'no-grant';
            return { outcome: 'deny', reason, sequence, dependsOn: [] };
          }),
      },
    },
  });
  const query = async (text: string) => {
    const { status, headers } = await post(`${gate.url}/payroll/graphql`, { query: text });
    return [status, headers.get('postern-observed')];
  };
  assert.deepEqual(await query('{ salary }'), [200, null]);
  assert.deepEqual(await query('{ salary secrets }'), [200, 'would-refuse']);
  assert.deepEqual(await query('{ salary secrets timed }'), [403, null]);
  assert.deepEqual(await query('{ timed secrets }'), [403, null]);
  const told = await gate.decisions(4);
  assert.deepEqual(told.map(({ outcome, observed, endpoint }) => [outcome, observed, endpoint]).slice(0, 3), [
    ['allow', undefined, 'payroll/query=2Esalary'],
    ['allow', 'no-grant', 'payroll/query=2Esecrets'],
    ['deny', undefined, 'payroll/query=2Esecrets'],
  ]);
});

test('an observed server of tools lists what it would let pass, and says in a changed answer too that it is observed', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, withOperations, { config: { observed } });
  gate.upstream.respond = (_req, res) => {
    const listed = [{ name: 'search' }, { name: 'pay' }, { name: 'undeclared' }];
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: listed } }));
  };
  const list = async () => {
    const answer = await post(`${gate.url}/payroll/mcp`, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const { result } = (await answer.json()) as { result: { tools: { name: string }[] } };
    return [answer.headers.get('postern-observed'), ...result.tools.map(({ name }) => name)];
  };
  assert.deepEqual(await list(), [null, 'search', 'pay']);
  gate.proxy.configureObserved({});
  assert.deepEqual(await list(), [null]);
  gate.proxy.configureObserved(observed);
  await gate.tell(say('postern.role.retired.v1', { role: 'some' }));
  assert.deepEqual(await list(), ['would-refuse', 'search', 'pay']);
});

test('what was open while its service was observed is cut once the service is enforced, without any fact', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { observed } });
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
  };
  const [would, lost] = await Promise.all([bob, ann].map((caller) => gate.get('/payroll/employees', caller)));
  const readers = [would, lost].map((response) => response?.body?.getReader());
  for (const reader of readers) await reader?.read();
  await gate.tell(say('postern.role.retired.v1', { role: 'payroll-reader' }));
  gate.proxy.configureObserved({});
  for (const reader of readers)
    await assert.rejects(async () => {
      while (!(await reader?.read())?.done);
    });
});
