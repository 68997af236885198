/** What the main thread and the engine's worker say to each other: plain data, many messages in one post. */
import type { ProblemInTransit } from '@postern/schemas';

/** Calls of the port that answer once, and three that turn its streams into such calls. */
export type Method =
  | 'writeSchema'
  | 'reached'
  | 'project'
  | 'check'
  | 'checkAt'
  | 'ping'
  | 'openStream'
  | 'nextOfStream'
  | 'closeStream'
  | 'close';

export type CallMessage = { readonly id: number; readonly method: Method; readonly args: readonly unknown[] };

export type AnswerMessage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly problem: ProblemInTransit };

export type StreamKind = 'read' | 'subjects' | 'resources';
/** How many items one `nextOfStream` answers at most. */
export const streamPage = 1_000;
