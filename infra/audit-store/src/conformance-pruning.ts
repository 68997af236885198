/** What the port promises of pruning: a prefix goes, proofs stay, and nothing goes that no fact tells of. */
import assert from 'node:assert/strict';
import { isProblem } from '@postern/schemas';
import {
  edgeRoot,
  growEdge,
  proveConsistency,
  proveInclusion,
  rangeRoot,
  verifyConsistency,
  verifyInclusion,
} from '@postern/schemas/tlog';
import { type Cases, entryOf, grow, idsOf, numbered, plain, rowOf, sha256 } from './conformance-entries.ts';
import type { AuditEntry, AuditStore } from './port.ts';

/** A fact as ingest takes it in, that says so much of the decisions is pruned. */
const toldPruned = (before: number, more: object = {}): AuditEntry =>
  entryOf(
    Buffer.from(JSON.stringify({ type: 'postern.retention.pruned.v1', data: { log: 'decisions', before, ...more } })),
    [rowOf(before, { type: 'postern.retention.pruned.v1' })],
  );
const refused = (error: unknown): boolean => isProblem(error, 'audit/append-only');
const leavesOf = async (store: AuditStore, size: number) => plain(await store.reader.leaves('decisions', 0, size));

export const pruningCases: Cases = {
  'what is pruned is gone with its rows, what remains is found, and every leaf is there': async ({ open }) => {
    await using store = await open();
    await grow(store, 'decisions', numbered(0, 9));
    await grow(store, 'facts', [toldPruned(6)]);
    const leaves = await leavesOf(store, 9);
    assert.equal(await store.reader.prunedBefore('decisions'), 0);
    await store.writer.prune('decisions', 4, 0);
    await store.writer.prune('decisions', 6, 0);
    await store.writer.prune('decisions', 5, 0);
    assert.equal(await store.reader.prunedBefore('decisions'), 6);
    assert.deepEqual(await leavesOf(store, 9), leaves);
    assert.deepEqual(
      plain(await store.reader.entries('decisions', 6, 9)),
      plain(numbered(6, 3).map(({ bytes }) => bytes)),
    );
    for (const [from, to] of [
      [0, 1],
      [5, 6],
      [5, 9],
      [0, 9],
    ] as const)
      await assert.rejects(store.reader.entries('decisions', from, to), (error) => isProblem(error, 'audit/pruned'));
    assert.deepEqual(idsOf(await store.reader.find('decisions', { limit: 20, order: 'oldest' })), [
      'id-6',
      'id-7',
      'id-8',
    ]);
    await grow(store, 'decisions', numbered(9, 2));
    assert.equal((await store.writer.state('decisions')).size, 11);
    assert.equal((await store.reader.find('decisions', { limit: 20 })).rows.length, 5);
  },

  'what no fact says is pruned is not, the last entry never is, and the facts never are': async ({ open }) => {
    await using store = await open();
    await grow(store, 'decisions', numbered(0, 5));
    await grow(store, 'facts', [
      ...numbered(0, 1),
      toldPruned(3),
      toldPruned(5),
      entryOf(Buffer.from(JSON.stringify({ type: 'postern.retention.pruned.v1', data: { log: 'facts', before: 2 } }))),
    ]);
    for (const [upTo, fact] of [
      [2, 0],
      [2, 3],
      [2, 77],
      [4, 1],
      [5, 2],
    ] as const)
      await assert.rejects(store.writer.prune('decisions', upTo, fact), refused, `${upTo} by ${fact}`);
    await assert.rejects(store.writer.prune('facts', 1, 3), refused);
    assert.equal(await store.reader.prunedBefore('decisions'), 0);
    assert.equal((await store.reader.entries('decisions', 0, 5)).length, 5);
    await store.writer.prune('decisions', 3, 1);
    assert.equal((await store.reader.entries('facts', 0, 4)).length, 4);
  },

  'the database itself removes nothing of the decisions by hand but what a fact says is pruned': async ({
    open,
    execute,
  }) => {
    await using store = await open();
    await grow(store, 'decisions', numbered(0, 5));
    await grow(store, 'facts', [toldPruned(3)]);
    await store.writer.prune('decisions', 2, 0);
    const before = { leaves: await leavesOf(store, 5), entries: plain(await store.reader.entries('decisions', 2, 5)) };
    for (const statement of [
      'DELETE FROM decisions_entries WHERE idx = 2',
      'DELETE FROM decisions_entries',
      'DELETE FROM decisions_rows WHERE idx = 4',
      'UPDATE decisions_entries SET bytes = leaf WHERE idx = 3',
      'UPDATE decisions_kept SET idx = idx + 10',
      'DELETE FROM decisions_kept',
      'INSERT INTO decisions_kept (idx, leaf) SELECT 3, leaf FROM decisions_entries WHERE idx = 4',
      'UPDATE pruned SET before = 3, fact = 0',
      'UPDATE pruned SET before = 0',
      'DELETE FROM pruned',
    ])
      await assert.rejects(execute(statement), /append-only|permission denied/, statement);
    assert.deepEqual(await leavesOf(store, 5), before.leaves);
    assert.deepEqual(plain(await store.reader.entries('decisions', 2, 5)), before.entries);
  },

  'pruned at any prefix, every entry is still included and every earlier tree still a beginning': async ({ open }) => {
    await using store = await open();
    const size = 41;
    const entries = numbered(0, size);
    await grow(store, 'decisions', entries);
    await grow(store, 'facts', [toldPruned(size - 1)]);
    const { edge } = await store.writer.state('decisions');
    const root = edgeRoot(sha256, edge);
    // Chosen anew in each run, and growing, since nothing comes back.
    const prefixes = [...new Set(Array.from({ length: 5 }, () => 1 + Math.floor(Math.random() * (size - 1))))].sort(
      (a, b) => a - b,
    );
    for (const before of prefixes) {
      await store.writer.prune('decisions', before, 0);
      const subtree = async (from: number, to: number) =>
        edgeRoot(sha256, growEdge(sha256, [], 0, await store.reader.leaves('decisions', from, to)));
      for (const [index, { leaf }] of entries.entries()) {
        const path = await proveInclusion(sha256, subtree, index, size);
        assert.equal(await verifyInclusion({ leaf, index, size, path, root }), true, `${index} behind ${before}`);
        const oldRoot = await rangeRoot(sha256, subtree, 0, index + 1);
        const consistency = await proveConsistency(sha256, subtree, index + 1, size);
        assert.equal(
          await verifyConsistency({ oldSize: index + 1, size, oldRoot, root, path: consistency }),
          true,
          `${index + 1} behind ${before}`,
        );
      }
      assert.equal((await store.reader.entries('decisions', before, size)).length, size - before);
    }
  },
};
