/** What no fact announces: the lease that runs out, a condition whose hour has come, an observed service that is enforced from now on, a credential that runs out under an open stream. */
import type { Clock } from '@postern/runtime';
import type { Lease } from './decide/lease.ts';
import type { Live, LiveExchanges } from './gate/live.ts';
import type { Rechecker } from './gate/recheck.ts';
import type { Standing } from './gate/standing.ts';

export type WatchDeps = {
  readonly live: LiveExchanges;
  readonly rechecker: Rechecker;
  readonly lease: Lease;
  readonly standing: Standing;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Called at every look. */
  readonly observe: () => void;
};

/** Between two looks, at most. Decisions depend on whole seconds, but what turns with a second is to end right then. */
const lookEveryMs = 100;

export const watchOver = ({
  live,
  rechecker,
  lease,
  standing,
  clock,
  leaseMs,
  observe,
}: WatchDeps): { start: () => void; stop: () => void; look: () => void } => {
  let timer: NodeJS.Timeout | undefined;
  let rechecking = false;
  /** The second in which decisions that depend on time were last looked at. */
  let lookedAt = 0;
  const look = (): void => {
    observe();
    if (standing.state === 'serving' && !lease.holds()) {
      // Whoever waits for an enforcement counts on this proxy letting nothing through by now, and what is under way is let through.
      for (const exchange of live.all()) rechecker.cut(exchange);
      return;
    }
    if (rechecking) return;
    const second = Math.floor(clock.now() / 1_000);
    const turned = second !== lookedAt;
    lookedAt = second;
    const timeBound: Live[] = live
      .all()
      .filter(
        ({ dependsOn, caller, observed }) =>
          (turned && (observed || dependsOn.includes('now'))) ||
          (caller?.expiresAtMs ?? Number.POSITIVE_INFINITY) <= clock.now(),
      );
    if (timeBound.length === 0) return;
    rechecking = true;
    void rechecker.recheck(timeBound).finally(() => {
      rechecking = false;
    });
  };
  return {
    look,
    start: () => {
      timer = setInterval(look, Math.min(lookEveryMs, leaseMs / 5));
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
};
