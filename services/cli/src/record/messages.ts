/** What the process's main thread and the record's thread say to each other, beside the log's own port. */
import type { MessagePort } from 'node:worker_threads';
import type { LoadedConfig } from '@postern/runtime';
import type { ProblemInTransit } from '@postern/schemas';

export type Beginning = {
  readonly loaded: Omit<LoadedConfig, 'lineOf'>;
  /** Where the log is served; absent where it is a cluster that every thread opens for itself. */
  readonly log: MessagePort | undefined;
};

export type ToRecord = 'start' | 'stop' | 'close' | 'metrics';

export type FromRecord =
  | { readonly said: 'opened' | 'stopped' }
  | { readonly said: 'started'; readonly url: string }
  | { readonly said: 'standing'; readonly notReady: readonly string[] }
  | { readonly said: 'metrics'; readonly text: string }
  | { readonly said: 'failed'; readonly problem: ProblemInTransit };
