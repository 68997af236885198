import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cursors, IncomingRecord, RecordBatch } from '@postern/event-log';
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
