/** Break-glass is heard: in the log, in the metrics, and in the state of the room, until somebody else has looked at it. */
import type { Logger } from '@postern/runtime';
import type { Fact } from '@postern/schemas';
import { metrics, type Telemetry } from '@postern/telemetry';
import type { GrantsState } from '../state.ts';

export type Loud = {
  /** Called with every fact that is news. */
  readonly observe: (facts: readonly Fact[]) => void;
  readonly count: () => void;
  /** What stands where the service's state is shown. */
  readonly watched: () => readonly { readonly what: string; readonly since: string }[];
};

export const loudBreakGlass = (state: () => GrantsState, telemetry: Telemetry, log: Logger): Loud => {
  const opened = telemetry.metrics.counter(metrics.breakGlassOpened, 'Roles taken in an emergency', ['role']);
  const unreviewed = telemetry.metrics.gauge(
    metrics.breakGlassUnreviewed,
    'Uses of break-glass that wait for a review',
  );
  const waiting = () => state().organisation.life.breakGlass.unreviewed();
  return {
    observe: (facts) => {
      for (const { type, data, authid, sequence } of facts) {
        if (type !== 'postern.breakglass.opened.v1') continue;
        opened(1, { role: data.role });
        // Why is a text about a person: it is shown by the use's id, and does not go where nobody can erase it.
        const { use, subject, role, until } = data;
        log.error({ use, subject, role, until, by: authid, sequence }, 'BREAK-GLASS: a role was taken in an emergency');
      }
    },
    count: () => unreviewed(waiting().length),
    watched: () =>
      waiting().map(({ subject, role, until, opened: since }) => ({
        what: `break-glass of ${role} by ${subject} (until ${until}) waits for its review`,
        since,
      })),
  };
};
