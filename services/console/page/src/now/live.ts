/** Decisions as they are recorded: server-sent events over fetch, because the cookie counts only with a header, which EventSource sends none of. */
import type { DecisionRecord } from '@postern/schemas';
import { createParser } from 'eventsource-parser';
import { useEffect, useRef, useState } from 'react';
import type { FoundDecisions } from '../access/grants-at.ts';
import { ApiFailure, ask, queryText } from '../api.ts';

export type LiveRow = FoundDecisions['items'][number];
export type Live = {
  /** The newest first. */
  readonly rows: readonly LiveRow[];
  readonly state: 'connecting' | 'following' | 'broken-off' | 'paused';
  readonly error?: Error;
};

const keptMax = 5_000;
const backoffMs = 2_000;

/**
 * Begins with the newest of the record, then follows it; goes on where it broke off. What was recorded between the first answer and the
 * beginning of the stream is in neither, so `reload` asks for the newest once more when the stream has begun.
 */
export const useLive = (
  filters: Readonly<Record<string, string>>,
  first: readonly LiveRow[] | undefined,
  { follow, reload }: { readonly follow: boolean; readonly reload: () => Promise<readonly LiveRow[]> },
): Live => {
  const key = JSON.stringify(filters);
  const [live, setLive] = useState<Live>({ rows: [], state: 'connecting' });
  const lastId = useRef('');
  const latest = useRef({ first, reload });
  latest.current = { first, reload };
  const ready = first !== undefined;
  // Another question is another stream.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the filters' text is what they are
  useEffect(() => {
    lastId.current = '';
    setLive({ rows: latest.current.first ?? [], state: 'connecting' });
  }, [key, ready]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    if (!ready) return;
    if (!follow) {
      setLive((now) => ({ ...now, state: 'paused' }));
      return;
    }
    const ending = new AbortController();
    const take = (rows: readonly LiveRow[]) => {
      if (!ending.signal.aborted) setLive((now) => ({ ...now, rows: merged(now.rows, rows) }));
    };
    const say = (state: Live['state'], error?: Error) =>
      setLive(({ rows }) => ({ rows, state, ...(error && { error }) }));
    const begun = () => void latest.current.reload().then((rows) => take(rows.toReversed()));
    void following(filters, lastId, { take, say, begun }, ending.signal);
    return () => ending.abort();
  }, [key, ready, follow]);
  return live;
};

const nameOf = ({ index, id }: LiveRow): string => `${index} ${id}`;

/** The newest first, each once, however they came; `fresh` has the oldest first, as a stream brings them. */
const merged = (known: readonly LiveRow[], fresh: readonly LiveRow[]): readonly LiveRow[] => {
  const seen = new Set(known.map(nameOf));
  const unseen = fresh.filter((row) => !seen.has(nameOf(row))).toReversed();
  if (unseen.length === 0) return known;
  return [...unseen, ...known].sort((a, b) => b.index - a.index).slice(0, keptMax);
};

type Heard = {
  readonly take: (rows: readonly LiveRow[]) => void;
  readonly say: (state: Live['state'], error?: Error) => void;
  /** The stream stands where it began, for the first time. */
  readonly begun: () => void;
};

const following = async (
  filters: Readonly<Record<string, string>>,
  lastId: { current: string },
  { take, say, begun }: Heard,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      const response = await ask(`/audit/decisions/live${queryText(filters)}`, {
        signal,
        headers: { accept: 'text/event-stream', ...(lastId.current !== '' && { 'last-event-id': lastId.current }) },
      });
      say('following');
      const parser = createParser({
        onEvent: ({ id, event, data }) => {
          if (event === 'decisions')
            take(JSON.parse(data) as { id: string; index: number; sequence: number; body: DecisionRecord }[]);
          if (lastId.current === '') begun();
          // Kept once it has been taken: a break in between brings it again.
          if (id !== undefined) lastId.current = id;
        },
      });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      for (let chunk = await reader?.read(); chunk !== undefined && !chunk.done; chunk = await reader?.read())
        parser.feed(chunk.value);
    } catch (error) {
      if (signal.aborted) return;
      say('broken-off', error as Error);
      // A refusal stays one.
      if (error instanceof ApiFailure && error.status >= 400 && error.status < 500) return;
      await new Promise((resolve) => setTimeout(resolve, backoffMs));
    }
  }
};
