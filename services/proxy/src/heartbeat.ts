/**
 * Tells everyone that this proxy lives and what it enforces: every fifth of the lease, and at once when it has come further. An
 * acknowledged beat is also what this proxy's own lease rests on.
 */
import type { EventLog } from '@postern/event-log';
import { type Clock, instant, type Logger } from '@postern/runtime';
import type { Heartbeat } from '@postern/schemas';
import type { PublicKey } from './assert.ts';
import type { Lease } from './decide/lease.ts';
import type { Standing } from './gate/standing.ts';

export type HeartbeatDeps = {
  readonly enforcement: Pick<EventLog['enforcement'], 'publish'>;
  readonly instance: string;
  readonly jwk: PublicKey;
  readonly standing: Standing;
  readonly lease: Lease;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Logger;
};

export type Beating = {
  /** Publishes one beat; rejects when it was not acknowledged. */
  readonly beat: () => Promise<void>;
  /** Beats now, or right behind the beat that is under way. Never rejects. */
  readonly soon: () => void;
  readonly start: () => void;
  /** No more beats but `stopped`. Never rejects. */
  readonly stop: () => Promise<void>;
};

export const heartbeat = ({
  enforcement,
  instance,
  jwk,
  standing,
  lease,
  leaseMs,
  clock,
  log,
}: HeartbeatDeps): Beating => {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let silent = false;

  const beat = async (): Promise<void> => {
    const sentAt = clock.elapsed();
    const message: Heartbeat = {
      instance,
      state: standing.state,
      enforces: standing.enforces,
      leaseMs,
      at: instant(clock),
      jwk,
    };
    await enforcement.publish([{ key: instance, bytes: Buffer.from(JSON.stringify(message)) }]);
    lease.acknowledged(sentAt);
  };
  const soon = (): void => {
    if (running !== undefined) {
      again = true;
      return;
    }
    running = beat()
      .then(
        () => {
          silent = false;
        },
        (error) => {
          if (!silent) log.error({ err: error }, 'the heartbeat is not acknowledged');
          silent = true;
        },
      )
      .finally(() => {
        running = undefined;
        if (!again) return;
        again = false;
        soon();
      });
  };
  return {
    beat,
    soon,
    start: () => {
      timer = setInterval(soon, leaseMs / 5);
      timer.unref();
    },
    stop: async () => {
      clearInterval(timer);
      again = false;
      await running;
      await beat().catch((error) =>
        log.warn({ err: error }, 'the farewell was not acknowledged; the lease runs out instead'),
      );
    },
  };
};
