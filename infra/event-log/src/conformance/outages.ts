/** The promises about lost answers, killed writers and a log that is away. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Sequence } from '@postern/schemas';
import { isProblem } from '@postern/schemas';
import type { EventLog } from '../port.ts';
import type { Case } from './case.ts';
import { draft, drafts } from './drafts.ts';
import { factsAfter, patienceMs } from './reading.ts';

const at = (sequence: number) => sequence as Sequence;
const writer = fileURLToPath(new URL('./writer.ts', import.meta.url));

export const outageCases: readonly Case[] = [
  {
    name: 'keeps everything when it is closed and opened again',
    run: async (log) => {
      const before = await log.open();
      await before.facts.append(at(0), drafts('before', 3));
      const { entries } = await factsAfter(before);
      await log.close();
      const door = await log.open();
      assert.equal(await door.facts.head(), 3);
      assert.deepEqual((await factsAfter(door)).entries, entries);
      assert.equal((await door.facts.append(at(3), [draft('behind')])).outcome, 'appended');
    },
  },
  {
    name: 'holds every acknowledged fact after its writer was killed in the middle of appends',
    run: async (log) => {
      await log.close();
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', writer, log.url], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let acknowledged = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged = Number(line);
        if (acknowledged >= 60) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      assert.ok(acknowledged >= 60, `the writer ended after ${acknowledged} facts`);
      const door = await log.open();
      const head = await door.facts.head();
      assert.ok(head >= acknowledged, `${acknowledged} facts were acknowledged, the log holds ${head}`);
      const { entries } = await factsAfter(door);
      assert.equal(entries.length, head);
      // An append is there whole or not at all: the writer appends three at a time.
      assert.equal(head % 3, 0);
    },
  },
  {
    name: 'finds out what became of an append whose acknowledgement was lost',
    run: async (log) => {
      const door = await log.open();
      await door.facts.append(at(0), [draft('before')]);
      // One lost answer is mended by the client's own retry, many have to be mended by reading the log.
      let head = 1;
      for (const lost of [1, 3, 4]) {
        await log.loseAcknowledgements?.(lost);
        const result = await door.facts.append(at(head), drafts(`lost-${lost}`, 2));
        assert.equal(result.outcome, 'appended');
        head += 2;
        assert.equal(result.head, head);
      }
      assert.equal((await door.facts.append(at(head), [draft('behind')])).outcome, 'appended');
      const { entries } = await factsAfter(door);
      assert.equal(entries.length, head + 1);
      assert.equal(new Set(entries.map(({ envelope }) => envelope.id)).size, head + 1);
    },
  },
  {
    name: 'keeps saying that there is nothing newer while it can be reached',
    run: async (log) => {
      const door = await log.open();
      await using reader = await watching(door);
      await reader.yields(5);
    },
  },
  {
    name: 'falls silent while the log is away, refuses to be asked, and goes on by itself afterwards',
    run: async (log) => {
      const door = await log.open();
      await door.facts.append(at(0), [draft('before')]);
      await using reader = await watching(door);
      await reader.yields(2);
      await log.interrupt?.();
      await assert.rejects(door.ping(), (error) => isProblem(error, 'event-log/unreachable'));
      // Answers that were under way have arrived by now; from here on every yield would be a lie.
      const silent = reader.count();
      await assert.rejects(door.facts.head(), (error) => isProblem(error, 'event-log/unreachable'));
      assert.equal(reader.count(), silent);
      await log.resume?.();
      await reader.yields(2);
      await door.ping();
      assert.equal((await door.facts.append(at(1), [draft('behind')])).outcome, 'appended');
      await reader.read(2);
    },
  },
];

const watching = async (door: EventLog) => {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(patienceMs)]);
  let yields = 0;
  let facts = 0;
  let changed: () => void = () => {};
  const done = (async () => {
    for await (const { entries } of door.facts.follow(at(0), { signal, beatMs: 200 })) {
      yields++;
      facts += entries.length;
      changed();
    }
  })();
  const until = async (enough: () => boolean) => {
    while (!enough()) {
      if (signal.aborted) throw new Error(`${yields} yields and ${facts} facts in ${patienceMs} ms`);
      await Promise.race([done, new Promise<void>((resolve) => (changed = resolve))]);
    }
  };
  return {
    count: () => yields,
    /** Waits for so many more. */
    yields: async (more: number) => {
      const target = yields + more;
      await until(() => yields >= target);
    },
    read: (count: number) => until(() => facts >= count),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
    },
  };
};
