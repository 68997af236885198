/** Who may call what, by which ways, and what changed about it between two moments. */
import type { Conditions } from '../conditions.ts';

/** By one grant. */
export type GrantWay = {
  readonly subject: string;
  readonly grant: string;
  readonly fact: number;
  readonly by: string;
  readonly reason: string;
  readonly role: string;
  readonly group?: string;
  readonly conditions?: Conditions | undefined;
};
/** A way, and what its grant says of how it came about. */
export type TracedWay = GrantWay & {
  readonly origin?: string;
  /** RFC 3339: when the grant was recorded. */
  readonly issued?: string;
  readonly ticket?: string;
  readonly request?: string;
  readonly approvals?: readonly { readonly by: string; readonly as: string }[];
};
export type TracedRight = {
  readonly subject: string;
  readonly endpoint: string;
  /** Whether it depends on circumstances of the call. */
  readonly conditional: boolean;
  readonly paths: readonly TracedWay[];
};

/** A fact that stands behind a change. */
export type ChangeCause = {
  readonly fact: number;
  readonly type: string;
  /** RFC 3339: when it was recorded, and since when it holds. */
  readonly recorded: string;
  readonly effective: string;
  readonly by: string;
  readonly reason?: string;
  readonly ticket?: string;
};
export type RightChange = TracedRight & { readonly because: readonly ChangeCause[] };
export type RightChanges = { readonly gained: readonly RightChange[]; readonly lost: readonly RightChange[] };
