/**
 * What port.ts promises, asked of every backend. A backend that cannot meet a case names it with the reason, in data.
 * Where POSTERN_CONFORMANCE_MATRIX names a file, each case leaves one JSON line there: what holds where.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { test } from 'node:test';
import { isProblem } from '@postern/schemas';
import { edgeRoot, growEdge, leafHash } from '@postern/schemas/tlog';
import type { AuditEntry, AuditRow, AuditStore, LogName } from './port.ts';

/** An empty place for one record; it may be opened again and again, by several at once. */
export type StorePlace = AsyncDisposable & {
  readonly open: () => Promise<AuditStore>;
  /** Runs a statement behind the port's back, as the record's own administrator would. Rejects where it is refused. */
  readonly execute: (statement: string) => Promise<void>;
};

export type Unmet = { readonly test: string; readonly because: string };

export const auditStoreConformance = (
  backend: string,
  place: () => Promise<StorePlace>,
  unmet: readonly Unmet[] = [],
): void => {
  for (const [name, check] of Object.entries(cases)) {
    const excuse = unmet.find((one) => one.test === name);
    test(`${backend}: ${name}`, { skip: excuse?.because ?? false }, async () => {
      try {
        await using here = await place();
        await check(here);
        record({ backend, case: name, result: 'holds' });
      } catch (error) {
        record({ backend, case: name, result: 'fails' });
        throw error;
      }
    });
    if (excuse !== undefined) record({ backend, case: name, result: 'cannot', because: excuse.because });
  }
};

const record = (line: Readonly<Record<string, string>>): void => {
  const file = process.env['POSTERN_CONFORMANCE_MATRIX'];
  if (file !== undefined && file !== '') appendFileSync(file, `${JSON.stringify({ suite: 'audit-store', ...line })}\n`);
};

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());
const entryOf = (bytes: Uint8Array, rows: readonly AuditRow[] = []): AuditEntry => ({
  bytes: Uint8Array.from(bytes),
  leaf: leafHash(sha256, bytes),
  rows,
});
const rowOf = (number: number, more: Partial<AuditRow> = {}): AuditRow => ({
  id: `id-${number}`,
  at: new Date(Date.UTC(2030, 0, 1, 0, 0, number)).toISOString(),
  type: 'postern.grant.issued.v1',
  body: JSON.stringify({ number }),
  ...more,
});
const numbered = (
  from: number,
  count: number,
  more: (number: number) => Partial<AuditRow> = () => ({}),
): AuditEntry[] =>
  Array.from({ length: count }, (_, at) =>
    entryOf(Buffer.from(`{"number":${from + at}}`), [rowOf(from + at, { sequence: from + at, ...more(from + at) })]),
  );

/** Appends at the head as ingest does. */
const grow = async (store: AuditStore, log: LogName, entries: readonly AuditEntry[], cursors = {}): Promise<void> => {
  const { size, edge } = await store.writer.state(log);
  const grown = growEdge(
    sha256,
    edge,
    size,
    entries.map(({ leaf }) => leaf),
  );
  await store.writer.append({ log, expected: size, entries, edge: grown, cursors });
};
const idsOf = ({ rows }: { readonly rows: readonly AuditRow[] }): string[] => rows.map(({ id }) => id);
const plain = (bytes: readonly Uint8Array[]): number[][] => bytes.map((value) => [...value]);

const cases: Readonly<Record<string, (place: StorePlace) => Promise<void>>> = {
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

  'a row comes back with every member it had, and none that it had not': async ({ open }) => {
    await using store = await open();
    const full: AuditRow = {
      id: 'd-1',
      at: '2030-01-01T01:00:00+01:00',
      type: 'decision',
      outcome: 'deny',
      reason: 'no-grant',
      subject: 'user:älice=C3',
      actor: 'credential:k1',
      role: 'payroll-read',
      service: 'payroll',
      endpoint: 'payroll/getEmployee',
      sequence: 7,
      trace: '0af7651916cd43dd8448eb211c80319c',
      body: '{"quote":"\\"","text":"ünï\\u0000"}',
    };
    const bare: AuditRow = { id: 'd-2', at: '2030-01-01T00:00:01Z', type: 'unreadable', body: '{}' };
    await grow(store, 'decisions', [entryOf(Buffer.from('batch'), [full, bare])]);
    const { rows } = await store.reader.find('decisions', { limit: 10, order: 'oldest' });
    assert.deepEqual(rows, [
      { ...full, index: 0 },
      { ...bare, index: 0 },
    ]);
    // One instant, however it is written.
    const found = await store.reader.find('decisions', {
      limit: 10,
      since: '2030-01-01T00:00:00Z',
      until: '2030-01-01T00:00:01Z',
    });
    assert.deepEqual(idsOf(found), ['d-1']);
  },

  'each filter finds what it names and nothing else, and filters add up': async ({ open }) => {
    await using store = await open();
    const odd = (number: number) => number % 2 === 1;
    await grow(
      store,
      'decisions',
      numbered(1, 12, (number) => ({
        type: odd(number) ? 'decision' : 'unreadable',
        outcome: number === 5 ? 'deny' : 'allow',
        subject: odd(number) ? 'user:ann' : 'user:ben',
        role: `role-${number}`,
        service: number < 4 ? 'payroll' : 'wiki',
        endpoint: `payroll/op${number % 3}`,
        trace: number === 9 ? 'feed' : 'cafe',
      })),
    );
    const ids = async (query: object) =>
      idsOf(await store.reader.find('decisions', { order: 'oldest', limit: 100, ...query }));
    assert.deepEqual(await ids({ id: 'id-4' }), ['id-4']);
    assert.deepEqual(await ids({ type: 'unreadable', toSequence: 4 }), ['id-2', 'id-4']);
    assert.deepEqual(await ids({ outcome: 'deny' }), ['id-5']);
    assert.deepEqual(await ids({ subject: 'user:ann', toSequence: 5 }), ['id-1', 'id-3', 'id-5']);
    assert.deepEqual(await ids({ role: 'role-7' }), ['id-7']);
    assert.deepEqual(await ids({ service: 'payroll' }), ['id-1', 'id-2', 'id-3']);
    assert.deepEqual(await ids({ endpoint: 'payroll/op0' }), ['id-3', 'id-6', 'id-9', 'id-12']);
    assert.deepEqual(await ids({ trace: 'feed' }), ['id-9']);
    assert.deepEqual(await ids({ fromSequence: 11 }), ['id-11', 'id-12']);
    assert.deepEqual(await ids({ since: '2030-01-01T00:00:11.000Z' }), ['id-11', 'id-12']);
    assert.deepEqual(await ids({ until: '2030-01-01T00:00:02.000Z' }), ['id-1']);
    assert.deepEqual(await ids({ subject: 'user:ben', service: 'payroll' }), ['id-2']);
    assert.deepEqual(await ids({ subject: "user:ann' OR '1'='1" }), []);
    assert.deepEqual(idsOf(await store.reader.find('facts', { limit: 100 })), []);
  },

  'pages hold every row once, in either order, while the log grows': async ({ open }) => {
    for (const order of ['newest', 'oldest'] as const) {
      await using store = await open();
      const log = order === 'newest' ? 'facts' : 'decisions';
      await grow(store, log, [
        ...numbered(1, 5),
        entryOf(Buffer.from('batch'), [rowOf(6), rowOf(7), rowOf(8)]),
        ...numbered(9, 4),
      ]);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.reader.find(log, { limit: 2, order, ...(cursor !== undefined && { cursor }) });
        seen.push(...idsOf(page));
        assert.ok(page.rows.length <= 2);
        cursor = page.next;
        if (seen.length < 8) await grow(store, log, numbered(100 + seen.length, 1));
      } while (cursor !== undefined);
      const first = Array.from({ length: 12 }, (_, at) => `id-${at + 1}`);
      if (order === 'newest') assert.deepEqual(seen, first.reverse());
      else assert.deepEqual(seen, [...first, 'id-102', 'id-104', 'id-106']);
    }
  },

  'a query that cannot be read is refused': async ({ open }) => {
    await using store = await open();
    for (const query of [
      { limit: 0 },
      { limit: 1.5 },
      { limit: 5_000 },
      { limit: 1, cursor: 'x' },
      { limit: 1, since: 'yesterday' },
    ])
      await assert.rejects(store.reader.find('facts', query), (error) => isProblem(error, 'audit/bad-query'));
  },

  'entries and leaves beyond the size are refused': async ({ open }) => {
    await using store = await open();
    await grow(store, 'facts', numbered(1, 3));
    assert.deepEqual(await store.reader.entries('facts', 3, 3), []);
    assert.equal((await store.reader.leaves('facts', 1, 3)).length, 2);
    for (const [from, to] of [
      [0, 4],
      [3, 4],
      [2, 1],
      [-1, 1],
    ] as const) {
      await assert.rejects(store.reader.entries('facts', from, to), (error) =>
        isProblem(error, 'audit/no-such-record'),
      );
      await assert.rejects(store.reader.leaves('facts', from, to), (error) => isProblem(error, 'audit/no-such-record'));
    }
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
    ])
      await assert.rejects(execute(statement), /append-only|permission denied/, statement);
    assert.deepEqual(await store.writer.state('facts'), before.state);
    assert.deepEqual(plain(await store.reader.entries('facts', 0, 3)), before.bytes);
    assert.deepEqual(idsOf(await store.reader.find('facts', { limit: 9, subject: 'user:mallory' })), []);
  },
};
