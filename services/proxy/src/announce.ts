/** Everybody hears that this proxy is starting before it looks where the log ends: so nobody can miss it who appends behind that. */
import type { EventLog } from '@postern/event-log';
import type { Logger } from '@postern/runtime';
import type { Standing } from './gate/standing.ts';
import type { Beating } from './heartbeat.ts';

export type AnnounceDeps = {
  readonly beating: Pick<Beating, 'beat' | 'start'>;
  readonly facts: Pick<EventLog['facts'], 'head'>;
  readonly standing: Standing;
  readonly log: Logger;
};

const retryAfterMs = 500;

/** Resolves once it is announced, or when `signal` aborts. */
export const announce = async ({ beating, facts, standing, log }: AnnounceDeps, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted)
    try {
      await beating.beat();
      standing.startHead = await facts.head();
      return beating.start();
    } catch (error) {
      log.error({ err: error }, 'the log cannot be told that this proxy starts');
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs).unref());
    }
};
