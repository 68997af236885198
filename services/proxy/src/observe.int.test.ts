import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
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
