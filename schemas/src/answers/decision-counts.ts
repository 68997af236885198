/** The last hours of decisions in a few numbers, as the audit room tells them. */
import type { DecisionRecord } from '../decisions/decision.ts';

export type MinuteCounts = {
  /** RFC 3339: when it begins. */
  readonly at: string;
  /** Without `own`. */
  readonly allow: number;
  /** Allowed calls of Postern's own API: whoever looks causes some. */
  readonly own: number;
  readonly deny: number;
  readonly unavailable: number;
};
export type RefusalCause = {
  readonly reason: string;
  readonly endpoint?: string;
  /** It passed, because its service is only observed. */
  readonly observed: boolean;
  readonly count: number;
  /** How many callers, as far as they are told apart, and some of them. */
  readonly callers: number;
  readonly who: readonly string[];
  readonly first: string;
  /** The newest of them. */
  readonly example: DecisionRecord;
};
export type DecisionCounts = {
  readonly minutes: readonly MinuteCounts[];
  readonly causes: readonly RefusalCause[];
  /** RFC 3339: before it nothing was counted. */
  readonly since: string;
  /** There is more in the record than was read for this answer. */
  readonly behind: boolean;
};
