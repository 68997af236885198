/** What a gate in a process of its own and the process over it say to each other. */
import type { TargetReport } from '../forward/upstreams.ts';
import type { Noted } from '../identify/replays.ts';

export type WorkerState = {
  readonly notReady: readonly string[];
  readonly observing: readonly { readonly service: string; readonly until: string }[];
  readonly targets: readonly TargetReport[];
};
export type FromWorker =
  | ({ readonly kind: 'state' } & WorkerState)
  | { readonly kind: 'snapshot'; readonly id: number; readonly snapshot: unknown }
  /** Has any of the gates seen this proof of possession? */
  | {
      readonly kind: 'proof';
      readonly id: number;
      readonly key: string;
      readonly proof: string;
      readonly forMs: number;
    };
export type ToWorker =
  | { readonly kind: 'snapshot'; readonly id: number }
  | { readonly kind: 'proof'; readonly id: number; readonly noted: Noted };
