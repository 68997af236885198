/** What the two ends of a bridged log say to each other: plain data, one answer to each call. */
import type { ProblemInTransit } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';

export type StreamName = 'facts' | 'decisions' | 'enforcement' | 'quarantine';

/** A call of the port; `next` and `close` turn its streams into such calls. `on` is the stream's number, given by the caller. */
export type Call =
  | { readonly call: 'head' | 'ping' }
  | { readonly call: 'append'; readonly args: readonly unknown[] }
  | { readonly call: 'publish'; readonly to: Exclude<StreamName, 'facts'>; readonly args: readonly unknown[] }
  | { readonly call: 'end'; readonly of: Exclude<StreamName, 'facts'> }
  | {
      readonly call: 'follow';
      readonly of: StreamName;
      readonly from: unknown;
      readonly beatMs: number | undefined;
      readonly on: number;
    }
  | { readonly call: 'next' | 'close'; readonly on: number };

export type CallMessage = Call & { readonly id: number; readonly carrier: Carrier };

export type AnswerMessage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly problem: ProblemInTransit };
