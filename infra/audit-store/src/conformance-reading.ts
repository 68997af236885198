/** What the reader promises: the same rows and bytes that went in, found by what they say. */
import assert from 'node:assert/strict';
import { isProblem } from '@postern/schemas';
import { type Cases, entryOf, grow, idsOf, numbered, rowOf } from './conformance-entries.ts';
import type { AuditRow, LastUsesQuery } from './port.ts';
import { cursorBehind } from './query.ts';

export const readingCases: Cases = {
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

  'whoever goes on from behind a size is given what came after it, from the empty log on': async ({ open }) => {
    await using store = await open();
    const from = async (size: number) =>
      idsOf(await store.reader.find('decisions', { order: 'oldest', limit: 10, cursor: cursorBehind(size) }));
    assert.deepEqual(await from(0), []);
    const two = (number: number) => [rowOf(number, {}), { ...rowOf(number, {}), id: `id-${number}b` }];
    await grow(store, 'decisions', [entryOf(Buffer.from('1'), two(1)), entryOf(Buffer.from('2'), two(2))]);
    assert.deepEqual(await from(0), ['id-1', 'id-1b', 'id-2', 'id-2b']);
    assert.deepEqual(await from(1), ['id-2', 'id-2b']);
    assert.deepEqual(await from(2), []);
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

  'the last use of each endpoint is told for each subject and actor, further operations of a request and all, refusals never':
    async ({ open }) => {
      await using store = await open();
      const rows: AuditRow[] = [];
      const add = (at: string, subject: string, endpoint: string, more: Partial<AuditRow> = {}) =>
        rows.push({
          id: `u-${rows.length}`,
          at,
          type: 'decision',
          outcome: 'allow',
          subject,
          endpoint,
          body: '{}',
          ...more,
        });
      add('2030-01-02T00:00:00.000Z', 'user:ann', 'payroll/list');
      add('2030-01-01T00:00:00.000Z', 'user:ann', 'payroll/list');
      add('2030-01-03T00:00:00.000Z', 'user:ann', 'payroll/list', { actor: 'credential:k1' });
      add('2030-01-04T00:00:00.000Z', 'user:ann', 'payroll/pay', { outcome: 'deny', reason: 'no-grant' });
      add('2030-01-05T00:00:00.000Z', 'user:ben', 'wiki/a', {
        body: '{"path":"/\\"also\\":","also":["wiki/b","wiki/c"]}',
      });
      await grow(store, 'decisions', [
        ...rows.map((row) => entryOf(Buffer.from(row.id), [row])),
        ...numbered(1, 150, () => ({ type: 'decision', subject: 'user:cid', endpoint: 'wiki/a', outcome: 'allow' })),
      ]);
      const told = async (query: LastUsesQuery) =>
        (await store.reader.lastUses(query))
          .map(({ subject, actor = '-', endpoint, at }) => `${subject} ${actor} ${endpoint} ${at.slice(0, 10)}`)
          .filter((line) => !line.startsWith('user:cid'))
          .sort();
      assert.deepEqual(await told({}), [
        'user:ann - payroll/list 2030-01-02',
        'user:ann credential:k1 payroll/list 2030-01-03',
        'user:ben - wiki/a 2030-01-05',
        'user:ben - wiki/b 2030-01-05',
        'user:ben - wiki/c 2030-01-05',
      ]);
      assert.equal((await store.reader.lastUses({ subject: 'user:cid' })).length, 1);
      assert.equal((await told({ subject: 'user:ann' })).length, 2);
      assert.equal((await told({ since: '2030-01-03T00:00:00Z', subject: 'user:ann' })).length, 1);
      await assert.rejects(store.reader.lastUses({ since: 'x' }), (error) => isProblem(error, 'audit/bad-query'));
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
};
