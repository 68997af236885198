/**
 * Waits for the barrier on behalf of everyone who asks, and writes down when it was reached: an `enforcement.reached` fact for
 * each change that takes access away, so that the record itself says how long a revocation took.
 */
import type { Clock, Logger } from '@postern/runtime';
import { type Fact, type Sequence, systemActor, takesAway } from '@postern/schemas';
import { metrics, type Telemetry } from '@postern/telemetry';
import type { Barrier, Enforced } from './barrier.ts';
import type { Commands } from './commands.ts';

export type Enforcer = {
  readonly enforced: (sequence: Sequence) => Promise<Enforced>;
  /** Called with every fact as it comes in from the log. */
  readonly observe: (facts: readonly Fact[]) => void;
  readonly stop: () => Promise<void>;
};

export type EnforcerDeps = {
  readonly barrier: Barrier;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly log: Logger;
};

export const enforcer = ({ barrier, commands, clock, telemetry, log }: EnforcerDeps, timeoutMs: number): Enforcer => {
  const seconds = telemetry.metrics.histogram(
    metrics.enforceSeconds,
    'From asking for the barrier to every proxy enforcing',
  );
  let pending: { readonly sequence: Sequence; readonly traceparent: string | undefined } | undefined;
  let recording: Promise<void> | undefined;
  let stopped = false;

  const enforced = async (sequence: Sequence): Promise<Enforced> => {
    const began = clock.elapsed();
    const result = await barrier.wait(sequence, timeoutMs);
    if (result.outcome === 'enforced') seconds((clock.elapsed() - began) / 1000);
    return result;
  };

  /** Once for each sequence, whichever instance finds it out and however long it takes. */
  const recordLate = async (reached: Sequence, waitingFor: readonly string[]): Promise<void> => {
    try {
      await commands({
        command: { kind: 'record-late-enforcement', reached, waitingFor },
        actor: systemActor('grants'),
        inbound: { source: '/postern/late-enforcement', id: String(reached), digest: '' },
      });
    } catch (error) {
      log.warn({ err: error, reached }, 'that a change is enforced late could not be recorded');
    }
  };

  /** One at a time; what arrives meanwhile is covered by the next, which asks for the newest. */
  const record = async (): Promise<void> => {
    while (pending !== undefined && !stopped) {
      const asked = pending;
      const { sequence, traceparent } = asked;
      pending = undefined;
      const result = await enforced(sequence);
      if (stopped) return;
      if (result.outcome === 'not-yet') {
        log.warn({ sequence, waitingFor: result.waitingFor }, 'a change is not enforced by every proxy yet');
        pending ??= asked;
        await recordLate(sequence, result.waitingFor);
        continue;
      }
      // With several grants instances each would record it; the (source, id) makes it one fact.
      const inbound = { source: '/postern/enforcement', id: String(sequence), digest: '' };
      await commands({
        command: { kind: 'record-enforcement', reached: sequence, proxies: result.proxies, lapsed: result.lapsed },
        actor: systemActor('grants'),
        inbound,
        ...(traceparent !== undefined && { carrier: { traceparent } }),
      });
    }
  };

  return {
    enforced,
    observe: (facts) => {
      const last = facts.findLast((fact) => takesAway.has(fact.type));
      if (last === undefined || stopped) return;
      pending = { sequence: Number(last.sequence) as Sequence, traceparent: last.traceparent };
      recording ??= record()
        .catch((error) => log.error({ err: error }, 'an enforcement could not be recorded'))
        .finally(() => {
          recording = undefined;
        });
    },
    stop: async () => {
      stopped = true;
      await recording;
    },
  };
};
