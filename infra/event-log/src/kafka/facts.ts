/** The facts of a log on Kafka: one partition, written by anybody, admitted by the same rule everywhere. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type FactDraft, Problem, type Sequence, sealAppend } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Message } from 'kafkajs';
import type { Appended, FactLog } from '../port.ts';
import { admitting, factsPartition } from './admitting.ts';
import { type Control, logClosed, unreachable } from './control.ts';
import { inTurn } from './in-turn.ts';
import type { Sending } from './sending.ts';
import type { KafkaSettings } from './settings.ts';
import type { Tail } from './tail.ts';

type Deps = {
  readonly settings: KafkaSettings;
  readonly topic: string;
  readonly tail: Tail;
  readonly control: Control;
  readonly sending: Sending;
  readonly carrier: () => Carrier;
  readonly closed: AbortSignal;
  /** How long an append may take, its outcome included, before it says that it does not know. */
  readonly appendTimeoutMs: number;
};

const headTimeoutMs = 10_000;
const pauseMs = 200;
const contentType = 'application/cloudevents+json; charset=UTF-8';

export const kafkaFacts = ({
  settings,
  topic,
  tail,
  control,
  sending,
  carrier,
  closed,
  appendTimeoutMs,
}: Deps): FactLog => {
  const turn = inTurn();

  /** The head as of now or later: where the topic ends is asked first, then everything up to there is read. */
  const readThrough = async (deadline: AbortSignal): Promise<Sequence> => {
    const offsets = await control.offsets(topic, deadline);
    try {
      return await tail.reached(offsets.get(factsPartition)?.high ?? 0, deadline);
    } catch (error) {
      throw deadline.aborted ? unreachable(settings, error) : error;
    }
  };

  const appendInTurn = async (expected: Sequence, drafts: readonly FactDraft[], hop: Carrier): Promise<Appended> => {
    const entries = sealAppend(expected, drafts);
    const messages = entries.map(
      ({ bytes }): Message => ({
        value: Buffer.from(bytes),
        headers: { ...hop, 'content-type': contentType },
      }),
    );
    const deadline = AbortSignal.any([AbortSignal.timeout(appendTimeoutMs), closed]);
    // Whoever expects an older head has lost already, and need not write to learn it; a newer one may just not have got here.
    if (expected !== tail.head() || expected === 0) await readThrough(deadline);
    using watch = tail.watch(entries);
    let mayBeWritten = false;
    let cause: unknown;
    while (!deadline.aborted) {
      if (watch.admitted()) return { outcome: 'appended', head: entries.at(-1)?.sequence ?? expected, entries };
      if (tail.head() !== expected) return { outcome: 'lost', head: tail.head() };
      const sent = await sending.send(topic, messages, deadline);
      try {
        switch (sent.outcome) {
          case 'acknowledged':
            mayBeWritten = true;
            await tail.reached(sent.offset + entries.length, deadline);
            continue;
          case 'not-sent':
            cause = sent.cause;
            if (!mayBeWritten) throw unreachable(settings, cause);
            break;
          case 'unknown':
            // It may be in the log, or still get there. Once we have read to the end it is found, or somebody else stands in its
            // place, or it is sent again: of two copies the rule admits one.
            mayBeWritten = true;
            cause = sent.cause;
            await readThrough(deadline);
            continue;
        }
      } catch (error) {
        if (!mayBeWritten) throw error;
        cause = error;
      }
      await sleep(pauseMs, undefined, { signal: deadline }).catch(() => {});
    }
    throw new Problem('event-log/outcome-unknown', {
      detail: `Kafka did not say in time (${appendTimeoutMs / 1_000} s) whether fact ${expected + 1} was written`,
      fix: 'Read the log once it answers: the fact is there once, or not at all.',
      cause,
    });
  };

  return {
    head: () => readThrough(AbortSignal.timeout(headTimeoutMs)),

    append: (expected, drafts) => {
      const hop = carrier();
      return turn(() => appendInTurn(expected, drafts, hop));
    },

    async *follow(after, { signal, beatMs = 1_000 }) {
      const start = tail.placeBefore(after);
      for await (const batch of admitting(start, {
        settings,
        topic,
        waitMs: beatMs,
        signal: AbortSignal.any([signal, closed]),
      })) {
        const { at, offset } = batch.place;
        const atHead = offset >= batch.high;
        if (at.head < after) {
          if (atHead) throw endsBefore(after, at.head);
          continue;
        }
        const entries = batch.entries.filter(({ sequence }) => sequence > after);
        if (entries.length === 0 && batch.strangers.length === 0 && !atHead) continue;
        const { strangers, carriers } = batch;
        yield { entries, atHead, strangers, ...(carriers.size > 0 && { carriers }) };
      }
      if (!signal.aborted) throw logClosed();
    },
  };
};

const endsBefore = (after: Sequence, head: Sequence): Problem =>
  new Problem('event-log/truncated', {
    detail: `this reader has read fact ${after}, the log ends with fact ${head}: it is another or an older log`,
    fix: 'Point this reader at the log it has read so far, or restore that log.',
    members: { expected: after + 1 },
  });
