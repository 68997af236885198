/**
 * One subscription, delivered: in order, at least once, from where it stands. It reads the log by itself, so nobody waits for a receiver that
 * does not answer. Of several instances one has it; where that one dies, another one goes on from the last notice that is known to have
 * arrived, and what comes twice comes under one webhook-id.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@postern/event-log';
import type { Clock, Logger } from '@postern/runtime';
import type { LoggedFact, NoticeSubscription, Sequence } from '@postern/schemas';
import { type Pace, pauseMs } from './backoff.ts';
import { beginningAt, type Held, type Place, type Places } from './place.ts';
import { type Sender, sender } from './sending.ts';
import { secretsOf, signedHeaders } from './signing.ts';
import { type Notice, toNotice } from './to-notice.ts';

export type Counted = {
  readonly delivered: () => void;
  readonly failed: () => void;
  readonly givenUp: () => void;
  readonly behind: (facts: number) => void;
};
export type DeliveryDeps = {
  readonly facts: Pick<EventLog['facts'], 'follow'>;
  readonly places: Places;
  /** Where a new subscription begins: now. */
  readonly head: () => Sequence;
  /** This instance, as no other one is called. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counted: Counted;
  readonly pace: Pace;
  readonly lease: Lease;
};
/** `lastsMs`: for how long an instance that fell silent still has the subscription. It says that it is there every `renewMs`. */
export type Lease = { readonly lastsMs: number; readonly renewMs: number };
export const usualLease: Lease = { lastsMs: 10_000, renewMs: 2_500 };

const dayMs = 86_400_000;
const afterFailureMs = 5_000;

/** Resolves when `signal` aborts. */
export const deliver = async (
  subscription: NoticeSubscription,
  deps: DeliveryDeps,
  signal: AbortSignal,
): Promise<void> => {
  using to = sender(subscription, deps.clock.now);
  while (!signal.aborted)
    try {
      const held = await take(subscription, deps);
      if (held === undefined) await pause(deps.lease.renewMs, signal);
      else await deliverHeld(subscription, to, held, deps, signal);
    } catch (error) {
      if (signal.aborted) return;
      deps.log.warn({ err: error, subscription: subscription.name }, 'notices cannot be delivered; it is tried again');
      await pause(afterFailureMs, signal);
    }
};

/** Undefined where another instance has it. */
const take = async (
  { name, url }: NoticeSubscription,
  { places, head, instance, clock, lease }: DeliveryDeps,
): Promise<Held | undefined> => {
  const found = await places.read(name);
  const now = clock.now();
  const holder = found?.place.holder;
  if (holder !== undefined && holder.by !== instance && holder.until > now) return undefined;
  const { disabled, ...place } = found?.place ?? beginningAt(head());
  return places.write(
    name,
    {
      ...place,
      // Another address is another receiver.
      ...(disabled?.url === url && { disabled }),
      holder: { by: instance, until: now + lease.lastsMs },
    },
    found?.version ?? 0,
  );
};

/** Until somebody else wrote, or `signal` aborts. */
const deliverHeld = async (
  subscription: NoticeSubscription,
  to: Sender,
  taken: Held,
  { facts, places, head, instance, clock, log, counted, pace, lease }: DeliveryDeps,
  signal: AbortSignal,
): Promise<void> => {
  const { name, url } = subscription;
  let held = taken;
  let passed = held.place.after;
  const lost = new AbortController();
  const ended = AbortSignal.any([signal, lost.signal]);
  let writing: Promise<unknown> = Promise.resolve();
  /** False where it is no longer ours. */
  const save = (change: (place: Place) => Place): Promise<boolean> => {
    const saved = writing.then(async () => {
      if (lost.signal.aborted) return false;
      const place = { ...change(held.place), holder: { by: instance, until: clock.now() + lease.lastsMs } };
      const written = await places.write(name, place, held.version);
      if (written === undefined) lost.abort();
      else held = written;
      return written !== undefined;
    });
    writing = saved.catch(() => lost.abort());
    return saved;
  };
  const renewing = setInterval(() => {
    counted.behind(Math.max(0, head() - passed));
    // What it rejects with has ended this already.
    save((place) => ({ ...place, after: Math.max(place.after, passed) })).catch(() => {});
  }, lease.renewMs);

  /** False where there is nothing more to do. */
  const settle = async (notice: Notice, { sequence, envelope }: LoggedFact): Promise<boolean> => {
    const body = JSON.stringify(notice);
    for (;;) {
      await pause((held.place.failing?.nextAt ?? 0) - clock.now(), ended);
      if (ended.aborted) return false;
      const sent = await attempt(subscription, to, { id: notice.id, body }, clock.now(), ended);
      if (ended.aborted && sent.outcome === 'failed') return false;
      const now = clock.now();
      const at = new Date(now).toISOString();
      if (sent.outcome === 'delivered') {
        counted.delivered();
        passed = sequence;
        return save(({ failing: _, ...place }) => ({
          ...place,
          after: sequence,
          delivered: place.delivered + 1,
          lastDelivered: { sequence, at },
        }));
      }
      counted.failed();
      if (sent.outcome === 'unwanted') {
        log.error({ subscription: name }, 'a receiver answered 410: it gets no more notices until they are resumed');
        await save(({ failing: _, ...place }) => ({
          ...place,
          disabled: { url, why: 'it answered 410 Gone', at },
        }));
        return false;
      }
      const before = held.place.failing;
      const attempts = (before?.attempts ?? 0) + 1;
      const wait = pauseMs(attempts, sent.retryAfterMs, Math.random(), pace);
      const { why, status } = sent;
      const failing = {
        sequence,
        attempts,
        since: before?.since ?? at,
        nextAt: now + wait,
        why,
        ...(status !== undefined && { status }),
      };
      const began = Math.max(Date.parse(envelope.recordedtime), held.place.replayedAt ?? 0);
      const over = failing.nextAt > began + subscription.retryDays * dayMs;
      log.warn({ subscription: name, sequence, attempts, why, waitMs: wait, givenUp: over }, 'a notice was not taken');
      if (over) {
        counted.givenUp();
        passed = sequence;
        return save((place) => ({
          ...place,
          after: sequence,
          failing,
          givenUp: place.givenUp + 1,
          lastGivenUp: { sequence, at, why },
        }));
      }
      if (!(await save((place) => ({ ...place, failing })))) return false;
    }
  };

  try {
    if (held.place.disabled !== undefined) await untilAborted(ended);
    for await (const { entries } of facts.follow(held.place.after as Sequence, { signal: ended })) {
      for (const entry of entries) {
        if (ended.aborted) return;
        const notice = entry.fact && toNotice(entry.fact, subscription);
        if (notice === undefined) passed = entry.sequence;
        else if (!(await settle(notice, entry))) {
          if (!ended.aborted) await untilAborted(ended);
          return;
        }
      }
    }
  } finally {
    clearInterval(renewing);
    await writing;
    // Whoever stops in good order does not make the next one wait.
    if (signal.aborted && !lost.signal.aborted)
      await places
        .write(name, { ...held.place, after: Math.max(held.place.after, passed), holder: undefined }, held.version)
        .catch(() => undefined);
  }
};

/** A secret that cannot be read is a failure like another: it is put right without a restart. */
export const attempt = async (
  subscription: NoticeSubscription,
  to: Sender,
  { id, body }: { readonly id: string; readonly body: string },
  nowMs: number,
  signal: AbortSignal,
) => {
  try {
    return await to.send(signedHeaders(await secretsOf(subscription), { id, body, nowMs }), body, signal);
  } catch (error) {
    return { outcome: 'failed' as const, why: error instanceof Error ? error.message : String(error) };
  }
};

/** A timer holds 24 days at most. */
const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  if (ms > 0) await sleep(Math.min(ms, 2_000_000_000), undefined, { signal }).catch(() => {});
};
const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
