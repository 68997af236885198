/** Reads the facts topic and admits what is a fact: the one order, from the records as they lie there. */
import { admit, type LoggedFact, type LogPosition, type Sequence } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Stranger } from '../port.ts';
import { toHeaders } from './headers.ts';
import { type ReadingOptions, reading } from './reading.ts';

/** A place from which admission can go on: the next offset, and what had been admitted before it. */
export type Place = { readonly offset: number; readonly at: LogPosition };

export type Admitted = {
  readonly entries: readonly LoggedFact[];
  readonly carriers: ReadonlyMap<Sequence, Carrier>;
  readonly strangers: readonly Stranger[];
  /** Behind everything in this batch. */
  readonly place: Place;
  /** The topic's end as of this batch. */
  readonly high: number;
};

/** The topic has one partition, or there would be no one order. */
export const factsPartition = 0;

export async function* admitting(
  start: Place,
  { unread = false, ...options }: Omit<ReadingOptions, 'from'> & { readonly unread?: boolean },
): AsyncGenerator<Admitted> {
  let { at } = start;
  for await (const [answer] of reading({ ...options, from: new Map([[factsPartition, start.offset]]) })) {
    if (answer === undefined) continue;
    const entries: LoggedFact[] = [];
    const strangers: Stranger[] = [];
    const carriers = new Map<Sequence, Carrier>();
    for (const { value, offset, headers } of answer.messages) {
      const position = `${options.topic}-${factsPartition}@${offset}`;
      const bytes = value === null ? new Uint8Array() : Uint8Array.from(value);
      const admission =
        value === null ? ({ outcome: 'foreign', why: 'a tombstone' } as const) : admit(at, bytes, { unread });
      switch (admission.outcome) {
        case 'admitted': {
          at = admission.after;
          entries.push(admission.entry);
          const { traceparent, tracestate } = toHeaders(headers);
          if (traceparent !== undefined)
            carriers.set(at.head, { traceparent, ...(tracestate !== undefined && { tracestate }) });
          break;
        }
        case 'foreign':
          strangers.push({ bytes, position, why: admission.why });
          break;
        case 'lost-race':
          break;
      }
    }
    yield { entries, carriers, strangers, place: { offset: answer.position, at }, high: answer.high };
  }
}
