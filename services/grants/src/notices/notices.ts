/** Everybody who is told: each subscription by itself, taken in anew with the configuration; shown, sent for again, tried out. */
import type { EventLog } from '@postern/event-log';
import type { ProfileStore } from '@postern/profiles';
import type { Clock, Logger } from '@postern/runtime';
import { type NoticeSubscription, Problem, type Sequence } from '@postern/schemas';
import { metrics, type Telemetry } from '@postern/telemetry';
import { v4, v7 } from 'uuid';
import { runningSet } from '../running-set.ts';
import { type Pace, usualPace } from './backoff.ts';
import { attempt, deliver, type Lease, usualLease } from './delivery.ts';
import { type Place, places } from './place.ts';
import { type Sent, sender } from './sending.ts';
import type { Notice } from './to-notice.ts';

export type NoticesDeps = {
  readonly facts: Pick<EventLog['facts'], 'follow'>;
  readonly store: Pick<ProfileStore, 'find' | 'write'>;
  readonly head: () => Sequence;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly log: Logger;
  readonly pace?: Pace;
  readonly lease?: Lease;
};

export type Shown = {
  readonly name: string;
  /** Without its query, which may hold a secret. */
  readonly url: string;
  readonly types: readonly string[];
  readonly state: 'delivering' | 'failing' | 'disabled';
  /** Facts that it has not come by yet. */
  readonly behind: number;
} & Place;

export type Notices = {
  /** Begins delivering; before that, what is configured waits. */
  readonly start: () => void;
  readonly configure: (subscriptions: readonly NoticeSubscription[]) => void;
  readonly all: () => Promise<readonly Shown[]>;
  /** Sends everything from this sequence on again. Rejects with `grants/unknown-subscription`. */
  readonly replay: (name: string, from: Sequence) => Promise<Shown>;
  /** Tries at once, and again where the receiver wanted no more. */
  readonly resume: (name: string) => Promise<Shown>;
  /** One notice that is none, now and once. */
  readonly test: (name: string) => Promise<{ readonly id: string } & Sent>;
  readonly stop: () => Promise<void>;
};

export const notices = (initial: readonly NoticeSubscription[], deps: NoticesDeps): Notices => {
  const { facts, store, head, clock, telemetry, log, pace = usualPace, lease = usualLease } = deps;
  const kept = places(store, clock.now);
  const instance = v4();
  const counter = (name: string, help: string) => telemetry.metrics.counter(name, help, ['subscription']);
  const delivered = counter(metrics.noticesDelivered, 'Notices that a receiver took');
  const failed = counter(metrics.noticeFailures, 'Attempts to deliver a notice that failed');
  const givenUp = counter(
    metrics.noticesGivenUp,
    'Notices that were tried for as long as configured, and are given up',
  );
  const behind = telemetry.metrics.gauge(metrics.noticesBehind, 'Facts that a subscription has not come by yet', [
    'subscription',
  ]);
  let current = initial;
  let started = false;
  const running = runningSet<NoticeSubscription>((subscription, signal) => {
    const of = { subscription: subscription.name };
    const counted = {
      delivered: () => delivered(1, of),
      failed: () => failed(1, of),
      givenUp: () => givenUp(1, of),
      behind: (left: number) => behind(left, of),
    };
    return deliver(subscription, { facts, places: kept, head, instance, clock, log, counted, pace, lease }, signal);
  });
  const run = (): void => {
    if (started) running.configure(new Map(current.map((subscription) => [subscription.name, subscription])));
  };
  const named = (name: string): NoticeSubscription => {
    const found = current.find((each) => each.name === name);
    if (found !== undefined) return found;
    throw new Problem('grants/unknown-subscription', {
      detail: `there is no subscription ${name}`,
      fix: `There are: ${current.map((each) => each.name).join(', ') || 'none; name one under notices in postern.yaml'}.`,
    });
  };
  const show = ({ name, url, types = [], ...rest }: NoticeSubscription, place: Place | undefined): Shown => {
    const at = place ?? { after: head(), delivered: 0, givenUp: 0 };
    const disabled = at.disabled?.url === url ? at.disabled : undefined;
    const state = disabled !== undefined ? 'disabled' : at.failing !== undefined ? 'failing' : 'delivering';
    const left = Math.max(0, head() - at.after);
    const { origin, pathname } = new URL(url);
    return {
      name,
      url: `${origin}${pathname}`,
      types,
      ...(rest.roles !== undefined && { roles: rest.roles }),
      state,
      behind: left,
      ...at,
      disabled: disabled && { ...disabled, url: `${origin}${pathname}` },
    };
  };
  const changed = async (name: string, change: (place: Place) => Place): Promise<Shown> => {
    const subscription = named(name);
    const place = await kept.change(name, head(), change);
    running.restart(name);
    return show(subscription, place);
  };

  return {
    start: () => {
      started = true;
      run();
    },
    configure: (subscriptions) => {
      current = subscriptions;
      run();
    },
    all: () => Promise.all(current.map(async (each) => show(each, (await kept.read(each.name))?.place))),
    replay: (name, from) =>
      changed(name, ({ failing: _failing, disabled: _disabled, ...place }) => ({
        ...place,
        after: Math.max(0, Math.min(from, head() + 1) - 1),
        replayedAt: clock.now(),
      })),
    resume: (name) =>
      changed(name, ({ failing: _failing, disabled: _disabled, ...place }) => ({
        ...place,
        replayedAt: clock.now(),
      })),
    test: async (name) => {
      const subscription = named(name);
      using to = sender(subscription, clock.now);
      const id = v7({ msecs: clock.now() });
      const notice: Notice = {
        specversion: '1.0',
        id,
        source: '/postern/grants',
        type: 'postern.notice.tested.v1',
        time: new Date(clock.now()).toISOString(),
        sequence: String(head()).padStart(20, '0'),
        datacontenttype: 'application/json',
        data: { subscription: name },
      };
      const body = JSON.stringify(notice);
      return { id, ...(await attempt(subscription, to, { id, body }, clock.now(), new AbortController().signal)) };
    },
    stop: () => running.stop(),
  };
};
