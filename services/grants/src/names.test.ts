import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeId, Organisation } from '@postern/schemas';
import { findNames } from './names.ts';

const organisation = (): Organisation => {
  const all = new Organisation();
  for (const name of ['user:ann', 'user:joann', 'user:annika', 'workload:ann-report'])
    all.principals.set(name as never, { id: name, state: name === 'user:annika' ? 'left' : 'active' } as never);
  all.roles.set('payroll-reader' as never, { description: 'Reads what Ann wrote', allows: [] } as never);
  all.services.set('payroll', {
    name: 'payroll',
    mount: '/payroll',
    endpoints: [{ id: 'payroll/listEmployees' as never, method: 'GET', template: '/employees', access: 'read' }],
  });
  return all;
};

test('names are found whole first, then by their beginning, then by any part, then by what is said of them', () => {
  const { items, more } = findNames(organisation(), 'Ann', { limit: 10 });
  assert.deepEqual(
    items.map(({ name, says }) => [name, says]),
    [
      ['user:ann', undefined],
      ['user:annika', 'left'],
      ['workload:ann-report', undefined],
      ['user:joann', undefined],
      ['payroll-reader', 'Reads what Ann wrote'],
    ],
  );
  assert.equal(more, false);
});

test('a name in any script is found as it is written', () => {
  const all = organisation();
  const id = `user:${encodeId('محمد الأمين')}`;
  all.principals.set(id as never, { id, state: 'active' } as never);
  assert.deepEqual(findNames(all, 'الأمين', { limit: 10 }).items, [{ kind: 'user', name: id }]);
});

test('an endpoint is found by its path, a kind is kept to, and it is said that there are more', () => {
  const all = organisation();
  assert.deepEqual(findNames(all, '/payroll/empl', { limit: 10 }).items, [
    { kind: 'endpoint', name: 'payroll/listEmployees', says: 'GET /payroll/employees' },
  ]);
  assert.deepEqual(findNames(all, 'ann', { kind: 'workload', limit: 10 }).items.length, 1);
  assert.deepEqual(findNames(all, 'ann', { limit: 2 }).more, true);
});
