/** What the audit room counts, and what is asked of the grants room beside it. */
import type { DecisionCounts } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { askJson } from '../api.ts';

export type Head = {
  readonly size: number;
  readonly sealed: number;
  readonly at: string | null;
  readonly waitsSince: string | null;
};
export type Pulse = DecisionCounts & {
  readonly now: string;
  readonly logs: { readonly facts: Head; readonly decisions: Head };
};
export type Enforcement = {
  readonly sequence: number;
  readonly proxies: readonly {
    readonly instance: string;
    readonly state: 'starting' | 'serving' | 'stopped' | 'lapsed';
    readonly enforces: number;
    readonly leaseMs: number;
    readonly heardMsAgo: number;
  }[];
  readonly takenAway: readonly {
    readonly sequence: number;
    readonly type: string;
    readonly subject?: string;
    readonly recorded: string;
    readonly reached: Readonly<Record<string, number>>;
    readonly waitingFor: readonly string[];
  }[];
};

export const usePulse = (minutes: string, live: boolean, enabled: boolean) =>
  useQuery({
    queryKey: ['pulse', minutes],
    queryFn: () => askJson<Pulse>(`/audit/pulse?minutes=${minutes}`),
    refetchInterval: live ? 5_000 : false,
    placeholderData: (last) => last,
    enabled,
  });

export const useEnforcement = (live: boolean, enabled: boolean) =>
  useQuery({
    queryKey: ['enforcement'],
    queryFn: () => askJson<Enforcement>('/enforcement'),
    refetchInterval: live ? 5_000 : false,
    enabled,
  });

/** "12 s", "3 min", "2 h": a length of time, as far as it matters. */
export const lasting = (ms: number): string =>
  ms < 1_000
    ? `${Math.round(ms)} ms`
    : ms < 90_000
      ? `${Math.round(ms / 1_000)} s`
      : ms < 5_400_000
        ? `${Math.round(ms / 60_000)} min`
        : `${Math.round(ms / 3_600_000)} h`;
