import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginning, sealAppend } from '@postern/schemas';
import { decisionRows, factRow } from '@postern/schemas/record';
import { decisionBatch, factId, grantIssued, traceOfFact } from './testing/log-content.ts';

test('a fact is found by its id, its holder, its role, its actor and the trace it started in', () => {
  const [entry] = sealAppend(beginning, [grantIssued(1)]);
  assert.ok(entry);
  const { body, ...row } = factRow(entry);
  assert.deepEqual(row, {
    id: factId(1),
    at: '2030-01-01T00:00:01.000Z',
    type: 'postern.grant.issued.v1',
    reason: 'reason 1',
    subject: 'user:ben',
    actor: 'user:admin',
    role: 'payroll-read',
    sequence: 1,
    trace: traceOfFact(1),
  });
  assert.equal(body, Buffer.from(entry.bytes).toString());
});

test('a fact of a type that this version does not know is found by its envelope', () => {
  const [entry] = sealAppend(beginning, [grantIssued(1)]);
  assert.ok(entry);
  const { fact: _, ...unknown } = entry;
  const row = factRow({ ...unknown, envelope: { ...entry.envelope, type: 'postern.later.added.v9', data: 'text' } });
  assert.equal(row.type, 'postern.later.added.v9');
  assert.equal(row.subject, 'user:ann');
  assert.equal('role' in row, false);
});

test('each decision of a batch is a row, in the order of the batch', () => {
  const read = decisionRows(decisionBatch(4, 3));
  assert.equal(read.outcome, 'read');
  const rows = read.outcome === 'read' ? read.rows : [];
  assert.deepEqual(
    rows.map(({ id, outcome }) => [id, outcome]),
    [
      ['d-4-0', 'deny'],
      ['d-4-1', 'allow'],
      ['d-4-2', 'allow'],
    ],
  );
  const { body, ...first } = rows[0] ?? { body: '{}' };
  assert.deepEqual(first, {
    id: 'd-4-0',
    at: '2030-01-01T00:00:04.000Z',
    type: 'decision',
    outcome: 'deny',
    reason: 'no-grant',
    subject: 'user:ann',
    service: 'payroll',
    endpoint: 'payroll/getEmployee',
    sequence: 3,
    trace: 'cafe'.repeat(8),
  });
  assert.equal(JSON.parse(body).path, '/employees/0');
});

test('whoever acts for another is the actor: the last of the chain, else the key', () => {
  const batch = JSON.parse(Buffer.from(decisionBatch(1, 1)).toString());
  const actorOf = (more: object) => {
    const read = decisionRows(
      Buffer.from(JSON.stringify({ ...batch, decisions: [{ ...batch.decisions[0], ...more }] })),
    );
    return read.outcome === 'read' ? read.rows[0]?.actor : read.why;
  };
  assert.equal(actorOf({ credential: 'credential:k1' }), 'credential:k1');
  assert.equal(actorOf({ credential: 'credential:k1', actors: ['workload:a', 'workload:b'] }), 'workload:b');
});

test('bytes that are no batch say why, and never throw', () => {
  for (const bytes of [
    Buffer.from([0xff, 0xfe]),
    Buffer.from('{'),
    Buffer.from('null'),
    Buffer.from('{"v":2}'),
    new Uint8Array(),
  ])
    assert.equal(decisionRows(bytes).outcome, 'unreadable');
});
