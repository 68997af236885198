/**
 * What was used, asked of the record as everybody asks it: over the audit room's HTTP API, with the word of the gate that the caller's
 * own request came with. Nothing is asked that no caller asked for.
 */
import { assertionHeader } from '@postern/runtime';
import { Problem, posternMount } from '@postern/schemas';
import type { FastifyRequest } from 'fastify';

export type LastUse = {
  readonly subject: string;
  readonly actor?: string;
  readonly endpoint: string;
  readonly at: string;
};
/** A decision as the record tells it. */
export type Refusal = {
  readonly id: string;
  readonly at: string;
  readonly endpoint?: string;
  readonly sequence?: number;
};

export type UsageRecord = {
  /** Rejects with `grants/record-unreachable`, as all of it does. */
  readonly lastUses: (
    request: FastifyRequest,
    query: { readonly since?: string; readonly subject?: string },
  ) => Promise<readonly LastUse[]>;
  /** The first refusal of one of `endpoints` to the subject that rests on `sequence` or later. */
  readonly firstRefusal: (
    request: FastifyRequest,
    query: { readonly subject: string; readonly sequence: number; readonly endpoints: ReadonlySet<string> },
  ) => Promise<Refusal | undefined>;
};

/** A full pass over a large record takes its time. */
const timeoutMs = 60_000;

/** Whoever was refused elsewhere more often than this many pages hold is looked for no further. */
const pagesMax = 20;

/** `url`: where the audit room listens; undefined where this process is not told. */
export const recordAt = (url: () => string | undefined): UsageRecord => {
  const ask = async (request: FastifyRequest, path: string, accept: string): Promise<string> => {
    const base = url();
    if (base === undefined)
      throw new Problem('grants/record-unreachable', {
        detail: 'this process is not told where the audit room is',
        fix: 'Name it: rooms.audit in postern.yaml.',
      });
    try {
      const response = await fetch(`${base}${posternMount}/audit/${path}`, {
        headers: { [assertionHeader]: String(request.headers[assertionHeader]), accept },
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`HTTP ${response.status}: ${text.slice(0, 300)}`);
      return text;
    } catch (error) {
      throw new Problem('grants/record-unreachable', { detail: 'the audit room does not answer', cause: error });
    }
  };
  return {
    lastUses: async (request, query) => {
      const text = await ask(request, `last-use?${new URLSearchParams(query)}`, 'application/x-ndjson');
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as LastUse]));
    },
    firstRefusal: async (request, { subject, sequence, endpoints }) => {
      const query = new URLSearchParams({
        subject,
        outcome: 'deny',
        from: String(sequence),
        order: 'oldest',
        limit: '1000',
      });
      for (let page = 0; page < pagesMax; page++) {
        const { items, next } = JSON.parse(await ask(request, `decisions?${query}`, 'application/json')) as {
          readonly items: readonly Refusal[];
          readonly next: string | null;
        };
        const found = items.find(({ endpoint }) => endpoint !== undefined && endpoints.has(endpoint));
        if (found !== undefined || next === null) return found;
        query.set('cursor', next);
      }
      return undefined;
    },
  };
};
