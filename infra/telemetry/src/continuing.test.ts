import assert from 'node:assert/strict';
import { test } from 'node:test';
import { continuing } from './continuing.ts';

const one = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
const other = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b8-01' };

test('entries of one trace are handled in it, entries of several point at each', () => {
  assert.deepEqual(continuing([one, { ...one }]), { parent: one });
  assert.deepEqual(continuing([one, other, one]), { links: [one, other] });
});

test('entries that were written in no trace go on from none', () => {
  assert.deepEqual(continuing([undefined]), { links: [] });
  assert.deepEqual(continuing([{ kind: 'test' }]), { links: [] });
});
