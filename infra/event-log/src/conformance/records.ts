/** The promises about the streams of opaque records. */
import assert from 'node:assert/strict';
import { isProblem } from '@postern/schemas';
import type { OutgoingRecord } from '../port.ts';
import type { Case } from './case.ts';
import { recordsUntil } from './reading.ts';

const record = (text: string, key = 'one'): OutgoingRecord => ({ key, bytes: Buffer.from(text), headers: { text } });
const texts = (records: readonly { readonly bytes: Uint8Array }[]) =>
  records.map(({ bytes }) => Buffer.from(bytes).toString());

export const recordCases: readonly Case[] = [
  {
    name: 'keeps records of one key in order, with bytes and headers as they were',
    run: async (log) => {
      const door = await log.open();
      await door.decisions.publish([record('a'), record('b'), record('elsewhere', 'two')]);
      await door.decisions.publish([record('c')]);
      const read = await recordsUntil(door.decisions, {}, 4);
      assert.deepEqual(
        texts(read).filter((text) => text !== 'elsewhere'),
        ['a', 'b', 'c'],
      );
      for (const { bytes, headers } of read) assert.equal(headers['text'], Buffer.from(bytes).toString());
    },
  },
  {
    name: 'goes on behind the cursors it is given, across a restart',
    run: async (log) => {
      const before = await log.open();
      await before.decisions.publish([record('a'), record('b', 'two')]);
      const cursors = await before.decisions.end();
      await before.decisions.publish([record('c')]);
      await log.close();
      const door = await log.open();
      assert.deepEqual(texts(await recordsUntil(door.decisions, cursors, 1)), ['c']);
    },
  },
  {
    name: 'gives a reader from the end what is published behind its first yield',
    run: async (log) => {
      const door = await log.open();
      await door.enforcement.publish([record('old')]);
      const read = await recordsUntil(door.enforcement, 'end', 1, () => door.enforcement.publish([record('new')]));
      assert.deepEqual(texts(read), ['new']);
    },
  },
  {
    name: 'carries a record of a megabyte, and many records in one call',
    run: async (log) => {
      const door = await log.open();
      const large = Buffer.alloc(1_048_576, 7);
      const many = Array.from({ length: 300 }, (_, index) => record(`${index}`.padStart(5_000, '.')));
      await door.quarantine.publish([{ key: 'one', bytes: large }, ...many]);
      const read = await recordsUntil(door.quarantine, {}, 301);
      assert.deepEqual(Buffer.from(read[0]?.bytes ?? []), large);
      assert.deepEqual(texts(read.slice(1)), texts(many));
    },
  },
  {
    name: 'loses no record behind one whose acknowledgement was lost',
    run: async (log) => {
      const door = await log.open();
      // More than the client's own retries mend: the publisher is told, and may publish something else instead.
      await log.loseAcknowledgements?.(6);
      await assert.rejects(door.decisions.publish([record('a')]), (error) => isProblem(error, 'event-log/unreachable'));
      await door.decisions.publish([record('b')]);
      await door.decisions.publish([record('c')]);
      const read = texts(await recordsUntil(door.decisions, {}, 3, undefined, (last) => last === 'c'));
      // At least once: what was not acknowledged may be there twice.
      assert.deepEqual([...new Set(read)], ['a', 'b', 'c']);
    },
  },
  {
    name: 'stops a reader whose next record is no longer retained',
    run: async (log) => {
      const door = await log.open();
      await door.quarantine.publish([record('a'), record('b'), record('c')]);
      const cursors = Object.fromEntries(
        Object.entries(await door.quarantine.end()).map(([key, end]) => [key, end - 3]),
      );
      await log.truncateRecords?.();
      const again = await log.open();
      await assert.rejects(recordsUntil(again.quarantine, cursors, 1), (error) =>
        isProblem(error, 'event-log/truncated'),
      );
    },
  },
];
