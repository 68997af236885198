import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cursors, IncomingRecord, RecordBatch } from '@postern/event-log';
import { DecisionBatch } from '@postern/schemas';
import { decisionsSource } from './ingest-decisions.ts';
import { decisionBatch } from './testing/log-content.ts';

const record = (partition: string, offset: number): IncomingRecord => ({
  partition,
  offset,
  bytes: decisionBatch(offset + 1, 1),
  headers: {},
});

test('a record that is delivered again is taken in once, in each partition by its own cursor', async () => {
  const asked: (Cursors | 'end')[] = [];
  const source = decisionsSource({
    decisions: {
      async *follow(from): AsyncGenerator<RecordBatch> {
        asked.push(from);
        yield { records: [record('0', 4), record('0', 5), record('1', 0)], atEnd: false };
        yield { records: [record('0', 5), record('0', 6), record('1', 0), record('1', 1)], atEnd: true };
      },
    },
    reader: { find: async () => ({ rows: [], size: 0 }), entries: async () => [] },
    quarantine: { publish: async () => {} },
    clock: { now: () => 0, elapsed: () => 0 },
  });
  const seen: string[] = [];
  const behind = { size: 9, edge: [], cursors: { '0': 5 } };
  for await (const { incoming } of source.follow(behind, new AbortController().signal))
    for (const { cursors } of incoming) seen.push(JSON.stringify(cursors));
  assert.deepEqual(asked, [{ '0': 5 }]);
  assert.deepEqual(seen, ['{"0":6}', '{"1":1}', '{"0":7}', '{"1":2}']);
});

test('a batch that its proxy published again is no second entry, whoever took the first in, and nothing else is dropped', async () => {
  const held = [decisionBatch(7, 3), decisionBatch(8, 3)];
  const arriving = [
    decisionBatch(7, 3),
    decisionBatch(8, 2),
    decisionBatch(9, 3),
    decisionBatch(10, 3),
    decisionBatch(9, 3),
  ];
  // The number of one that is held, and yet another: it is taken in.
  arriving.push(
    new TextEncoder().encode(new TextDecoder().decode(decisionBatch(11, 3)).replace('"batch":11', '"batch":9')),
  );
  const source = decisionsSource({
    decisions: {
      async *follow(): AsyncGenerator<RecordBatch> {
        yield {
          records: arriving.map((bytes, offset) => ({ partition: '0', offset, bytes, headers: {} })),
          atEnd: true,
        };
      },
    },
    reader: {
      find: async (_log, { id }) => {
        const index = held.findIndex((bytes) => new TextDecoder().decode(bytes).includes(`"${id}"`));
        const row = { id: String(id), at: '', type: 'decision', body: '' };
        return { rows: index < 0 ? [] : [{ ...row, index }], size: held.length };
      },
      entries: async (_log, from, to) => held.slice(from, to),
    },
    quarantine: { publish: async () => {} },
    clock: { now: () => 0, elapsed: () => 0 },
  });
  for await (const { incoming } of source.follow({ size: 2, edge: [], cursors: {} }, new AbortController().signal))
    held.push(...incoming.map(({ entry }) => entry.bytes));
  const numbers = held.map((bytes) => DecisionBatch.parse(JSON.parse(new TextDecoder().decode(bytes))));
  assert.deepEqual(
    numbers.map(({ batch, decisions }) => `${batch} ${decisions[0]?.id}`),
    ['7 d-7-0', '8 d-8-0', '9 d-9-0', '10 d-10-0', '9 d-11-0'],
  );
});
