/**
 * What could not be taken, kept byte for byte with what is needed to read it again. The shelf is a stream of the event log, the facts
 * say what lies on it and what became of it.
 */
import { createHash } from 'node:crypto';
import type { EventLog } from '@postern/event-log';
import { Problem, type Quarantined } from '@postern/schemas';
import type { Commands } from '../commands.ts';
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
): Quarantine => ({
  setAside: async ({ from, position, bytes, why, event, headers, rule }) => {
    const digest = digestOf(bytes);
    const source = `/postern/quarantine/${from}`;
    // A sender that tries again and again fills no shelf.
    if (state.handled(source, position)?.digest === digest) return (await state.recall(source, position))[0]?.id ?? '';
    const place = { from, position, why: why.slice(0, 500) };
    const how = {
      ...(headers !== undefined && { headers: JSON.stringify(headers) }),
      ...(rule !== undefined && { rule }),
    };
    await shelf.publish([{ key: `${from}/${position}`, bytes, headers: { ...place, ...how } }]);
    const done = await commands({
      command: { kind: 'record-quarantine', from, position, why: why.slice(0, 2000), digest, event },
      inbound: { source, id: position, digest },
    });
    if (!done.repeated) counted();
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
});

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
