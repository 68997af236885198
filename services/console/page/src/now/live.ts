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

/** Begins with the newest of the record, then follows it; goes on where it broke off. */
export const useLive = (
  filters: Readonly<Record<string, string>>,
  first: readonly LiveRow[] | undefined,
  follow: boolean,
): Live => {
  const key = JSON.stringify(filters);
  const [live, setLive] = useState<Live>({ rows: [], state: 'connecting' });
  const lastId = useRef('');
  const firsts = useRef(first);
  firsts.current = first;
  const ready = first !== undefined;
  // Another question is another stream.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the filters' text is what they are
  useEffect(() => {
    lastId.current = '';
    setLive({ rows: firsts.current ?? [], state: 'connecting' });
  }, [key, ready]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    if (!ready) return;
    if (!follow) {
      setLive((now) => ({ ...now, state: 'paused' }));
      return;
    }
    const ending = new AbortController();
    const seen = new Set((firsts.current ?? []).map(({ id }) => id));
    const take = (rows: readonly LiveRow[]) => {
      const fresh = rows.filter(({ id }) => !seen.has(id));
      for (const { id } of fresh) seen.add(id);
      if (fresh.length > 0)
        setLive((now) => ({ ...now, rows: [...fresh.toReversed(), ...now.rows].slice(0, keptMax) }));
    };
    void following(
      filters,
      lastId,
      take,
      (state, error) => setLive(({ rows }) => ({ rows, state, ...(error && { error }) })),
      ending.signal,
    );
    return () => ending.abort();
  }, [key, ready, follow]);
  return live;
};

const following = async (
  filters: Readonly<Record<string, string>>,
  lastId: { current: string },
  take: (rows: readonly LiveRow[]) => void,
  say: (state: Live['state'], error?: Error) => void,
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
