/** What the writer promises: all or nothing, at the head, and never taken back. */
import assert from 'node:assert/strict';
import { isProblem } from '@postern/schemas';
import { edgeRoot, growEdge } from '@postern/schemas/tlog';
import { type Cases, entryOf, grow, idsOf, numbered, plain, rowOf, sha256 } from './conformance-entries.ts';

export const writingCases: Cases = {
  'an empty record has size zero, no edge, no cursors and no checkpoint': async ({ open }) => {
    await using store = await open();
    await store.ping();
    for (const log of ['facts', 'decisions'] as const) {
      assert.deepEqual(await store.writer.state(log), { size: 0, edge: [], cursors: {} });
      assert.equal(await store.reader.checkpoint(log), undefined);
      assert.deepEqual(await store.reader.find(log, { limit: 10 }), { rows: [], size: 0 });
    }
  },

  'what is appended is read back to the byte, with its leaf, its edge and its cursors': async ({ open }) => {
    await using store = await open();
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const entries = [entryOf(every), entryOf(new Uint8Array()), entryOf(new Uint8Array(65_535).fill(0xff))];
    await grow(store, 'decisions', entries, { '0': 7, '11': 3 });
    await grow(store, 'decisions', [entryOf(Buffer.from('\\x00 "quoted", {braces}'))], { '0': 8 });
    const state = await store.writer.state('decisions');
    assert.deepEqual(state.cursors, { '0': 8, '11': 3 });
    assert.equal(state.size, 4);
    const leaves = await store.reader.leaves('decisions', 0, 4);
    assert.deepEqual(edgeRoot(sha256, state.edge), edgeRoot(sha256, growEdge(sha256, [], 0, leaves)));
    const bytes = await store.reader.entries('decisions', 0, 3);
    assert.deepEqual(plain(bytes), plain(entries.map((entry) => entry.bytes)));
    assert.deepEqual(plain(leaves.slice(0, 3)), plain(entries.map(({ leaf }) => leaf)));
    assert.equal((await store.writer.state('facts')).size, 0);
  },

  'an append behind the head is refused and changes nothing': async ({ open }) => {
    await using store = await open();
    await grow(store, 'facts', numbered(1, 3), { '0': 3 });
    const before = await store.writer.state('facts');
    for (const expected of [2, 4]) {
      const edge = growEdge(
        sha256,
        [],
        0,
        numbered(0, expected + 1).map(({ leaf }) => leaf),
      );
      await assert.rejects(
        store.writer.append({ log: 'facts', expected, entries: numbered(9, 1), edge, cursors: { '0': 99 } }),
        (error) => isProblem(error, 'audit/not-at-head'),
      );
    }
    assert.deepEqual(await store.writer.state('facts'), before);
    assert.equal((await store.reader.find('facts', { limit: 10 })).rows.length, 3);
  },

  'an append that fails in the middle leaves nothing behind': async ({ open }) => {
    await using store = await open();
    await grow(store, 'facts', numbered(1, 2), { '0': 2 });
    const before = await store.writer.state('facts');
    // A row without a body is refused by the database, after entries before it went in.
    const broken = entryOf(Buffer.from('broken'), [rowOf(9, { body: null as unknown as string })]);
    await assert.rejects(grow(store, 'facts', [...numbered(3, 2), broken], { '0': 99 }));
    assert.deepEqual(await store.writer.state('facts'), before);
    assert.deepEqual(idsOf(await store.reader.find('facts', { limit: 10 })), ['id-2', 'id-1']);
    await grow(store, 'facts', numbered(3, 1));
    assert.equal((await store.writer.state('facts')).size, 3);
  },

  'of two racing ingesters one is refused, and the log has no gap and no double': async ({ open }) => {
    await using one = await open();
    await using two = await open();
    let refused = 0;
    for (let round = 0; round < 20; round++) {
      const attempts = await Promise.allSettled([one, two].map((store) => grow(store, 'facts', numbered(round, 2))));
      for (const attempt of attempts)
        if (attempt.status === 'rejected') {
          assert.ok(isProblem(attempt.reason, 'audit/not-at-head'), String(attempt.reason));
          refused++;
        }
    }
    const { size, edge } = await one.writer.state('facts');
    assert.equal(size, (40 - refused) * 2);
    assert.ok(size >= 40);
    const leaves = await two.reader.leaves('facts', 0, size);
    assert.deepEqual(edgeRoot(sha256, edge), edgeRoot(sha256, growEdge(sha256, [], 0, leaves)));
  },

  'of two appends at the same head one is refused': async ({ open }) => {
    await using one = await open();
    await using two = await open();
    const entries = numbered(1, 1);
    const append = {
      log: 'facts',
      expected: 0,
      entries,
      edge: growEdge(
        sha256,
        [],
        0,
        entries.map(({ leaf }) => leaf),
      ),
      cursors: {},
    } as const;
    const attempts = await Promise.allSettled([one.writer.append(append), two.writer.append(append)]);
    assert.deepEqual(attempts.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const lost = attempts.find((attempt) => attempt.status === 'rejected');
    assert.ok(isProblem(lost?.reason, 'audit/not-at-head'), String(lost?.reason));
  },

  'what was acknowledged is there after the store is opened again': async ({ open }) => {
    const before = await (async () => {
      await using store = await open();
      await grow(store, 'facts', numbered(1, 5), { '0': 5 });
      await store.writer.seal('facts', {
        size: 5,
        root: sha256(Buffer.from('root')),
        note: 'note\n',
        at: '2030-01-01T00:00:00.000Z',
      });
      return { state: await store.writer.state('facts'), page: await store.reader.find('facts', { limit: 9 }) };
    })();
    await using again = await open();
    assert.deepEqual(await again.writer.state('facts'), before.state);
    assert.deepEqual(await again.reader.find('facts', { limit: 9 }), before.page);
    assert.equal((await again.reader.checkpoint('facts'))?.note, 'note\n');
  },

  'a checkpoint never goes back, never contradicts itself and never runs ahead of the log': async ({ open }) => {
    await using store = await open();
    await grow(store, 'facts', numbered(1, 4));
    const seal = (size: number, root: string, at = '2030-01-01T00:00:00.000Z') =>
      store.writer.seal('facts', { size, root: sha256(Buffer.from(root)), note: `${size}\n`, at });
    await seal(3, 'three');
    await assert.rejects(seal(2, 'two'), (error) => isProblem(error, 'audit/not-at-head'));
    await assert.rejects(seal(5, 'five'), (error) => isProblem(error, 'audit/not-at-head'));
    await assert.rejects(seal(3, 'another three'), (error) => isProblem(error, 'audit/append-only'));
    await seal(3, 'three', '2030-01-01T00:10:00.000Z');
    assert.deepEqual(await store.reader.checkpoint('facts'), {
      size: 3,
      root: sha256(Buffer.from('three')),
      note: '3\n',
      at: '2030-01-01T00:10:00.000Z',
    });
    await seal(4, 'four');
    assert.equal((await store.reader.checkpoint('facts'))?.size, 4);
    assert.equal(await store.reader.checkpoint('decisions'), undefined);
  },

  'the database itself refuses to change or remove what is recorded': async ({ open, execute }) => {
    await using store = await open();
    await grow(store, 'facts', numbered(1, 3));
    await store.writer.seal('facts', {
      size: 3,
      root: sha256(Buffer.from('root')),
      note: 'note\n',
      at: '2030-01-01T00:00:00.000Z',
    });
    const before = {
      state: await store.writer.state('facts'),
      bytes: plain(await store.reader.entries('facts', 0, 3)),
    };
    for (const statement of [
      'UPDATE facts_entries SET bytes = leaf WHERE idx = 1',
      'DELETE FROM facts_entries WHERE idx = 2',
      'DELETE FROM facts_entries',
      "UPDATE facts_rows SET subject = 'user:mallory'",
      'DELETE FROM facts_rows WHERE idx = 2',
      'INSERT INTO facts_entries (idx, bytes, leaf) SELECT 17, bytes, leaf FROM facts_entries WHERE idx = 0',
      "INSERT INTO facts_rows (idx, ord, at_ms, id, at, type, body) VALUES (0, 9, 0, 'x', 'x', 'x', 'x')",
      'UPDATE heads SET size = size - 1',
      'DELETE FROM heads',
      'UPDATE seals SET size = size - 1',
      'DELETE FROM seals',
      "UPDATE checkpoints SET note = 'another'",
      'DELETE FROM checkpoints',
      'INSERT INTO checkpoints (log, number, size, root, note, at, witnesses) SELECT log, 7, size, root, note, at, 0 FROM checkpoints',
    ])
      await assert.rejects(execute(statement), /append-only|permission denied/, statement);
    assert.deepEqual(await store.writer.state('facts'), before.state);
    assert.deepEqual(plain(await store.reader.entries('facts', 0, 3)), before.bytes);
    assert.deepEqual(idsOf(await store.reader.find('facts', { limit: 9, subject: 'user:mallory' })), []);
  },
};
