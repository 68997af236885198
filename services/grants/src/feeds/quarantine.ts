/**
 * What could not be taken, kept byte for byte with what is needed to read it again. The shelf is a stream of the event log, the facts
 * say what lies on it and what became of it.
 */
import { createHash } from 'node:crypto';
import type { EventLog } from '@postern/event-log';
import { Problem, type Quarantined } from '@postern/schemas';
import type { Commands, Done, Order } from '../commands.ts';
import type { GrantsState } from '../state.ts';

export type Aside = {
  readonly from: string;
  readonly position: string;
  readonly bytes: Uint8Array;
  readonly why: string;
  readonly event?: { readonly source: string; readonly id: string } | undefined;
  /** How to read it again: the headers that count, and the rule that read it. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly rule?: string | undefined;
};

export type Kept = {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly rule: string | undefined;
};

export type Quarantine = {
  /** Answers the id under which it is found again; the same position is recorded once. */
  readonly setAside: (aside: Aside) => Promise<string>;
  /** The same in two parts, for whoever carries out the order in its place: the bytes have to be on the shelf before. */
  readonly order: (aside: Aside) => Order;
  readonly shelve: (asides: readonly Aside[]) => Promise<void>;
  /** Called with what became of the order. */
  readonly recorded: (done: Done) => void;
  /** Rejects with `grants/quarantine-incomplete` where the bytes are not there, or are others. */
  readonly kept: (item: Quarantined) => Promise<Kept>;
};

const readTimeoutMs = 60_000;

export const quarantine = (
  shelf: EventLog['quarantine'],
  commands: Commands,
  state: Pick<GrantsState, 'handled' | 'recall'>,
  /** Called for each thing that is set aside, once. */
  counted: () => void,
): Quarantine => {
  /** A topic that was made anew counts its positions anew: what lay at one before is another thing. */
  const inboundOf = ({ from, position, bytes }: Aside): NonNullable<Order['inbound']> => {
    const digest = digestOf(bytes);
    const source = `/postern/quarantine/${from}`;
    const before = state.handled(source, position);
    const taken = before !== undefined && before.digest !== digest;
    return { source, id: taken ? `${position} ${digest}` : position, digest };
  };
  const isKnown = (aside: Aside): boolean => {
    const { source, id } = inboundOf(aside);
    return state.handled(source, id) !== undefined;
  };
  const order: Quarantine['order'] = (aside) => {
    const { from, position, why, event } = aside;
    const inbound = inboundOf(aside);
    return {
      command: { kind: 'record-quarantine', from, position, why: why.slice(0, 2000), digest: inbound.digest, event },
      inbound,
    };
  };
  const shelve: Quarantine['shelve'] = async (asides) => {
    // A sender that tries again and again fills no shelf.
    const records = asides
      .filter((aside) => !isKnown(aside))
      .map(({ from, position, bytes, why, headers, rule }) => ({
        key: `${from}/${position}`,
        bytes,
        headers: {
          ...{ from, position, why: why.slice(0, 500) },
          ...(headers !== undefined && { headers: JSON.stringify(headers) }),
          ...(rule !== undefined && { rule }),
        },
      }));
    if (records.length > 0) await shelf.publish(records);
  };
  const recorded: Quarantine['recorded'] = ({ repeated }) => {
    if (!repeated) counted();
  };
  return {
    order,
    shelve,
    recorded,
    setAside: async (aside) => {
      const { source, id } = inboundOf(aside);
      if (state.handled(source, id) !== undefined) return (await state.recall(source, id))[0]?.id ?? '';
      await shelve([aside]);
      const done = await commands(order(aside));
      recorded(done);
      return done.facts[0]?.id ?? '';
    },
    kept: async ({ id, from, position, digest }) => {
      const found = await onShelf(shelf, from, position, digest);
      if (found !== undefined) return found;
      throw new Problem('grants/quarantine-incomplete', {
        detail: `${id}: what came from ${from} at ${position} is not on the shelf`,
        fix: 'Fix it with the content as its sender has it, or dismiss it.',
      });
    },
  };
};

const onShelf = async (
  shelf: EventLog['quarantine'],
  from: string,
  position: string,
  digest: string,
): Promise<Kept | undefined> => {
  const end = await shelf.end();
  for await (const { records, atEnd } of shelf.follow({}, { signal: AbortSignal.timeout(readTimeoutMs) })) {
    for (const { bytes, headers } of records)
      if (headers['from'] === from && headers['position'] === position && digestOf(bytes) === digest)
        return { bytes, headers: readHeaders(headers['headers']), rule: headers['rule'] };
    if (atEnd || records.every(({ partition, offset }) => offset + 1 >= (end[partition] ?? 0))) return undefined;
  }
  return undefined;
};

const readHeaders = (text: string | undefined): Record<string, string> =>
  text === undefined ? {} : (JSON.parse(text) as Record<string, string>);

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64url');
