/**
 * How often a service may be called. Asked last of all, when the call has been allowed, so that a refusal tells nothing of what else
 * would have been refused. With several gates each takes its share: the quota divided by the gates that live now.
 */
import type { Endpoint, RateLimit } from '@postern/schemas';
import type { Passage } from './passage.ts';
import { type Room, type SlidingWindow, slidingWindow } from './sliding-window.ts';

export type Limited =
  | { readonly outcome: 'passes'; readonly headers: readonly string[] }
  | { readonly outcome: 'refused'; readonly headers: readonly string[]; readonly retryAfterSeconds: number };

export type RateLimits = {
  /** Undefined where nothing is limited. A call counts against every limit that is about it, or, refused, against none. */
  readonly take: (passage: Passage) => Limited | undefined;
  /** Counts go on where a limit stays what it was. */
  readonly configure: (services: Readonly<Record<string, { readonly rateLimits?: readonly RateLimit[] }>>) => void;
  readonly refused: () => ReadonlyMap<string, number>;
};

type Standing = {
  readonly limit: RateLimit;
  readonly window: SlidingWindow;
  readonly only: ReadonlySet<string> | undefined;
};

/** `gates`: how many gates live, this one among them. */
export const rateLimits = (deps: { readonly gates: () => number; readonly elapsed: () => number }): RateLimits => {
  let byService: ReadonlyMap<string, readonly Standing[]> = new Map();
  let windows = new Map<string, SlidingWindow>();
  const refused = new Map<string, number>();
  return {
    refused: () => refused,
    configure: (services) => {
      const before = windows;
      windows = new Map();
      const found = new Map<string, readonly Standing[]>();
      for (const [service, { rateLimits: limits = [] }] of Object.entries(services)) {
        if (limits.length === 0) continue;
        found.set(
          service,
          limits.map((limit) => {
            const key = JSON.stringify([service, limit]);
            const window = before.get(key) ?? slidingWindow(limit.windowSeconds * 1_000);
            windows.set(key, window);
            return { limit, window, only: limit.endpoints && new Set<string>(limit.endpoints) };
          }),
        );
      }
      byService = found;
    },
    take: (passage) => {
      if (byService.size === 0) return undefined;
      const service = passage.match?.service.name ?? '';
      const limits = byService.get(service);
      if (limits === undefined) return undefined;
      const now = deps.elapsed();
      const gates = Math.max(1, deps.gates());
      const policies: string[] = [];
      const states: string[] = [];
      const counted: (() => void)[] = [];
      let waitMs = 0;
      for (const { limit, window, only } of limits) {
        const { name, requests, windowSeconds } = limit;
        const endpoints = endpointsOf(passage).filter(({ id }) => only === undefined || only.has(id));
        if (endpoints.length === 0) continue;
        const who = whoOf(passage, limit);
        const keys = limit.by === 'endpoint' ? endpoints.map(({ id }) => `${who} ${id}`) : [who];
        let tightest: Room | undefined;
        for (const key of keys) {
          const room = window.room(key, Math.max(1, requests / gates), now);
          if (tightest === undefined || room.left < tightest.left) tightest = room;
          counted.push(() => window.count(key, now));
        }
        if (tightest === undefined) continue;
        if (tightest.left < 0) waitMs = Math.max(waitMs, tightest.resetMs);
        policies.push(`"${name}";q=${requests};w=${windowSeconds}`);
        states.push(`"${name}";r=${Math.max(0, tightest.left)};t=${seconds(tightest.resetMs)}`);
      }
      if (policies.length === 0) return undefined;
      const headers = ['RateLimit-Policy', policies.join(', '), 'RateLimit', states.join(', ')];
      if (waitMs === 0) {
        for (const count of counted) count();
        return { outcome: 'passes', headers };
      }
      refused.set(service, (refused.get(service) ?? 0) + 1);
      return { outcome: 'refused', headers, retryAfterSeconds: seconds(waitMs) };
    },
  };
};

const endpointsOf = ({ match, called }: Passage): readonly Endpoint[] => called ?? (match ? [match.endpoint] : []);

/** Kinds apart, so that nobody's name is another's address. */
const whoOf = ({ caller, read }: Passage, { per }: RateLimit): string => {
  if (per === 'everyone') return '*';
  if (caller === undefined) return `address ${read.ip ?? 'unknown'}`;
  return per === 'credential' && caller.credential !== undefined ? caller.credential : caller.principal;
};

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));
