/** Ten times a second: which exchanges have overrun a limit, and which targets may be tried again or have to be asked how they are. */
import type { Logger } from '@postern/runtime';
import { overdue } from './forward/deadlines.ts';
import type { Upstreams } from './forward/upstreams.ts';
import type { LiveExchanges } from './gate/live.ts';

const everyMs = 100;

export const clockwork = ({
  live,
  upstreams,
  elapsed,
  log,
}: {
  readonly live: LiveExchanges;
  readonly upstreams: Pick<Upstreams, 'look'>;
  readonly elapsed: () => number;
  readonly log: Logger;
}): { readonly start: () => void; readonly stop: () => void } => {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const now = elapsed();
    for (const exchange of live.all())
      try {
        const why = overdue(exchange, now);
        if (why === undefined) continue;
        log.info({ decision: exchange.decision, endpoint: exchange.endpoint, why }, 'an exchange overran a limit');
        exchange.cut(why);
      } catch (error) {
        log.error({ err: error, decision: exchange.decision }, 'an exchange under way could not be looked at');
      }
    upstreams.look();
  };
  return {
    start: () => {
      timer = setInterval(look, everyMs);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
};
