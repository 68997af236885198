/** The promises about facts while the log is healthy, and about what lies in it. */
import assert from 'node:assert/strict';
import { isProblem, type Sequence } from '@postern/schemas';
import type { Appended } from '../port.ts';
import type { Case } from './case.ts';
import { draft, drafts, randomFrom } from './drafts.ts';
import { factsAfter, factsUntil } from './reading.ts';

const at = (sequence: number) => sequence as Sequence;
const sequences = (entries: readonly { readonly sequence: Sequence }[]) => entries.map(({ sequence }) => sequence);
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

export const factCases: readonly Case[] = [
  {
    name: 'appends all drafts behind the expected head, or none',
    run: async (log) => {
      const door = await log.open();
      assert.equal(await door.facts.head(), 0);
      const first = await door.facts.append(at(0), drafts('first', 3));
      assert.equal(first.outcome, 'appended');
      assert.equal(first.head, 3);
      assert.deepEqual(await door.facts.append(at(1), drafts('late', 2)), { outcome: 'lost', head: 3 });
      assert.deepEqual(await door.facts.append(at(7), drafts('early', 2)), { outcome: 'lost', head: 3 });
      const { entries } = await factsAfter(door);
      assert.deepEqual(sequences(entries), [1, 2, 3]);
      assert.deepEqual(
        entries.map(({ bytes }) => Buffer.from(bytes).toString()),
        first.outcome === 'appended' ? first.entries.map(({ bytes }) => Buffer.from(bytes).toString()) : [],
      );
      assert.equal(await door.facts.head(), 3);
    },
  },
  {
    name: 'lets exactly one of several racing writers win each place, and everybody reads the same order',
    run: async (log) => {
      const seed = Number(process.env['POSTERN_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
      process.stdout.write(`# seed ${seed} (POSTERN_SEED repeats it)\n`);
      const random = randomFrom(seed);
      const doors = [await log.open(), await log.open(), await log.open()];
      const won = new Map<string, number>();
      let head = 0;
      for (let round = 0; round < 40; round++) {
        // One of them writes several facts, the others one each: the trap is a batch of which only a later part fits.
        const attempts = doors.map((_, index) => drafts(`r${round}w${index}`, random(2) === 0 ? 1 : 1 + random(4)));
        const results = await Promise.all(
          doors.map((door, index): Promise<Appended> => door.facts.append(at(head), attempts[index] ?? [])),
        );
        const winners = results.filter(({ outcome }) => outcome === 'appended');
        assert.equal(
          winners.length,
          1,
          `seed ${seed} round ${round}: ${JSON.stringify(results.map((r) => r.outcome))}`,
        );
        for (const winner of winners)
          if (winner.outcome === 'appended')
            for (const { envelope, sequence } of winner.entries) won.set(envelope.id, sequence);
        head = winners[0]?.head ?? head;
      }
      const views = await Promise.all(doors.map((door) => factsAfter(door)));
      for (const { entries } of views) {
        assert.deepEqual(sequences(entries), upTo(head), `seed ${seed}`);
        for (const { envelope, sequence } of entries) assert.equal(won.get(envelope.id), sequence, `seed ${seed}`);
      }
    },
  },
  {
    name: 'numbers facts without gaps while writers that lost try again',
    run: async (log) => {
      const doors = [await log.open(), await log.open()];
      await Promise.all(
        doors.map(async (door, index) => {
          let head = await door.facts.head();
          for (let written = 0; written < 20; ) {
            const result = await door.facts.append(head, drafts(`w${index}n${written}`, 1 + (written % 3)));
            if (result.outcome === 'appended') written++;
            head = result.head;
          }
        }),
      );
      const [door] = doors;
      assert.ok(door);
      const { entries } = await factsAfter(door);
      assert.deepEqual(sequences(entries), upTo(await door.facts.head()));
      assert.equal(new Set(entries.map(({ envelope }) => envelope.appendid)).size, 40);
    },
  },
  {
    name: 'wakes a waiting reader with each new fact, in order, and follows from the middle',
    run: async (log) => {
      const door = await log.open();
      await door.facts.append(at(0), drafts('early', 5));
      let appended = false;
      const { entries } = await factsUntil(door, 3, ({ entries, batch }) => {
        if (batch.atHead && !appended) {
          appended = true;
          void door.facts.append(at(5), drafts('while-waiting', 3));
        }
        return entries.length === 5;
      });
      assert.deepEqual(sequences(entries), [4, 5, 6, 7, 8]);
      // The middle of an append of several is a place like any other.
      assert.deepEqual(sequences((await factsAfter(door, 7)).entries), [8]);
      assert.deepEqual((await factsAfter(door, 8)).entries, []);
    },
  },
  {
    name: 'hands over an append whole, however many facts it holds and wherever it begins',
    run: async (log) => {
      const door = await log.open();
      // Small ones before and behind, so that the large ones lie across any round number of facts.
      for (const [name, count] of [
        ['small', 7],
        ['large', 1_300],
        ['next', 700],
        ['last', 3],
      ] as const)
        await door.facts.append(await door.facts.head(), drafts(name, count));
      const ends = new Set<number>();
      const { entries } = await factsUntil(door, 0, ({ entries, batch }) => {
        const last = batch.entries.at(-1);
        if (last !== undefined) ends.add(last.sequence);
        return entries.length === 2_010;
      });
      assert.equal(entries.length, 2_010);
      assert.deepEqual(
        [...ends].filter((end) => ![7, 1_307, 2_007, 2_010].includes(end)),
        [],
      );
    },
  },
  {
    name: 'says that the log is another or an older one to a reader that has read beyond its end',
    run: async (log) => {
      const door = await log.open();
      await door.facts.append(at(0), drafts('early', 2));
      await assert.rejects(
        factsUntil(door, 9, () => false),
        (error) => isProblem(error, 'event-log/truncated'),
      );
    },
  },
  {
    name: 'admits a fact of a type it does not know, without pretending to have read it',
    run: async (log) => {
      const door = await log.open();
      await door.facts.append(at(0), [draft('known'), draft('unknown', 'postern.future.thing.v9'), draft('known')]);
      const { entries } = await factsAfter(door);
      assert.deepEqual(
        entries.map(({ fact }) => fact?.type),
        ['postern.principal.joined.v1', undefined, 'postern.principal.joined.v1'],
      );
      assert.equal(entries[1]?.envelope.type, 'postern.future.thing.v9');
    },
  },
  {
    name: 'admits a repeated record once',
    run: async (log) => {
      const door = await log.open();
      const first = await door.facts.append(at(0), drafts('first', 2));
      assert.equal(first.outcome, 'appended');
      if (first.outcome === 'appended') for (const { bytes } of first.entries) await log.writeForeign?.(bytes);
      await door.facts.append(at(2), [draft('behind')]);
      const { entries, strangers } = await factsAfter(door);
      assert.deepEqual(sequences(entries), [1, 2, 3]);
      assert.deepEqual(strangers, []);
    },
  },
  {
    name: 'reports what is no fact with its bytes and place, and reads on behind it',
    run: async (log) => {
      const door = await log.open();
      await door.facts.append(at(0), [draft('before')]);
      const garbage = [
        Buffer.from('not json'),
        Buffer.from('{"specversion":"1.0","id":"1"}'),
        Buffer.alloc(0),
        Buffer.alloc(1_000_000, 0xff),
      ];
      for (const bytes of garbage) await log.writeForeign?.(bytes);
      await log.writeForeign?.(null);
      const behind = await door.facts.append(at(1), [draft('behind')]);
      assert.equal(behind.outcome, 'appended');
      const { entries, strangers } = await factsAfter(door);
      assert.deepEqual(sequences(entries), [1, 2]);
      assert.deepEqual(
        strangers.map(({ bytes }) => bytes.byteLength),
        [...garbage.map(({ byteLength }) => byteLength), 0],
      );
      assert.equal(new Set(strangers.map(({ position }) => position)).size, 5);
      assert.ok(strangers.every(({ why }) => why.length > 0));
    },
  },
  {
    name: 'stops a reader whose next fact the log no longer holds, and never skips',
    run: async (log) => {
      const door = await log.open();
      for (let head = 0; head < 6; head++) await door.facts.append(at(head), [draft(`n${head}`)]);
      await log.truncateFacts?.(4);
      const again = await log.open();
      await assert.rejects(factsAfter(again, 1), (error) => isProblem(error, 'event-log/truncated'));
      await assert.rejects(factsAfter(again, 0), (error) => isProblem(error, 'event-log/truncated'));
    },
  },
];
