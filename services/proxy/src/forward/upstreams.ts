/** Where each service's API lies, the connections to it, and which of its targets a request goes to. */
import { Outliers, Retries, Timeouts } from '@postern/schemas';
import type { UpstreamConfig } from '../config.ts';
import { type HealthChecks, healthChecks } from './health-checks.ts';
import { type Http1Pool, http1Pool } from './http1/pool.ts';
import { type Http2Sessions, http2Sessions } from './http2-sessions.ts';
import { judge, judgeShares, readmit, shareEveryMs } from './outliers.ts';
import { retryBudget } from './retries.ts';
import { newTarget, type Retrying, type TargetState, takes, type Upstream } from './target.ts';

export type { Upstream } from './target.ts';

/** Targets that answer alike. */
export type UpstreamGroup = {
  readonly service: string;
  readonly basePath: string;
  readonly bodyBytesMax: number;
  readonly serverTiming: 'asked' | 'always' | 'never';
  readonly targets: readonly Upstream[];
  /** The less busy of two that are picked at random; undefined where none is fit to be called. */
  readonly choose: (but?: Upstream) => Upstream | undefined;
  /** Retries that were made since the group was configured. */
  readonly retries: () => number;
  readonly look: (now: number) => void;
  readonly lookAtShares: (now: number) => void;
};

export type TargetReport = {
  readonly service: string;
  readonly target: string;
  readonly standing: 'in' | 'trying' | 'out';
  readonly why?: string;
  readonly underWay: number;
};

export type Upstreams = {
  /** `below` is the path below the service's mount. */
  readonly find: (service: string, below: string) => UpstreamGroup | undefined;
  /** Takes the services anew. Requests under way end where they are; targets that stay keep their connections and their standing. */
  readonly configure: (services: Readonly<Record<string, UpstreamConfig>>) => void;
  readonly groups: () => readonly UpstreamGroup[];
  readonly report: () => readonly TargetReport[];
  /** To be called ten times a second. */
  readonly look: () => void;
  readonly close: () => void;
};

type Prefixed = { readonly prefix: string; readonly group: UpstreamGroup };

export const openUpstreams = (
  services: Readonly<Record<string, UpstreamConfig>>,
  elapsed: () => number,
  random: () => number = Math.random,
): Upstreams => {
  let pools = new Map<string, Http1Pool>();
  let sessions = new Map<string, Http2Sessions>();
  let states = new Map<string, TargetState>();
  let byService = new Map<string, readonly Prefixed[]>();
  let all: readonly UpstreamGroup[] = [];
  let sharesAt = elapsed() + shareEveryMs;

  const configure = (fresh: Readonly<Record<string, UpstreamConfig>>): void => {
    const [poolsBefore, sessionsBefore, statesBefore] = [pools, sessions, states];
    pools = new Map();
    sessions = new Map();
    states = new Map();
    const poolOf = (origin: string, connectMs: number): Http1Pool => {
      const key = `${origin} ${connectMs}`;
      const pool = pools.get(key) ?? poolsBefore.get(key) ?? http1Pool(origin, connectMs);
      pools.set(key, pool);
      return pool;
    };
    const sessionsOf = (origin: string): Http2Sessions => {
      const found = sessions.get(origin) ?? sessionsBefore.get(origin) ?? http2Sessions(new URL(origin));
      sessions.set(origin, found);
      return found;
    };
    const stateOf = (service: string, url: string): TargetState => {
      const key = `${service} ${url}`;
      const state = statesBefore.get(key) ?? newTarget();
      states.set(key, state);
      return state;
    };
    byService = new Map(
      Object.entries(fresh).map(([service, config]) => {
        const places = 'upstream' in config ? [{ prefix: '', url: config.upstream }] : config.upstreams;
        const prefixed = places.map(({ prefix, url }) => ({
          prefix: prefix.replace(/\/$/, ''),
          group: newGroup(service, [url].flat(), config, { poolOf, sessionsOf, stateOf, elapsed, random }),
        }));
        return [service, prefixed.sort((a, b) => b.prefix.length - a.prefix.length)] as const;
      }),
    );
    all = [...byService.values()].flatMap((prefixed) => prefixed.map(({ group }) => group));
    // Closed once what goes through them has ended.
    for (const [key, pool] of poolsBefore) if (!pools.has(key)) pool.retire();
    for (const [key, each] of sessionsBefore) if (!sessions.has(key)) each.retire();
  };
  configure(services);

  return {
    find: (service, below) =>
      byService.get(service)?.find(({ prefix }) => prefix === '' || below === prefix || below.startsWith(`${prefix}/`))
        ?.group,
    configure,
    groups: () => all,
    report: () =>
      all.flatMap(({ service, targets }) =>
        targets.map(({ origin, basePath, state: { standing, why, underWay } }) => ({
          service,
          target: `${origin}${basePath}`,
          standing,
          ...(why !== undefined && { why }),
          underWay,
        })),
      ),
    look: () => {
      const now = elapsed();
      for (const group of all) group.look(now);
      for (const pool of pools.values()) pool.look(now);
      if (now < sharesAt) return;
      sharesAt = now + shareEveryMs;
      for (const group of all) group.lookAtShares(now);
    },
    close: () => {
      for (const each of sessions.values()) each.close();
      for (const pool of pools.values()) pool.destroy();
    },
  };
};

type Making = {
  readonly poolOf: (origin: string, connectMs: number) => Http1Pool;
  readonly sessionsOf: (origin: string) => Http2Sessions;
  readonly stateOf: (service: string, url: string) => TargetState;
  readonly elapsed: () => number;
  readonly random: () => number;
};

const newGroup = (service: string, urls: readonly string[], config: UpstreamConfig, making: Making): UpstreamGroup => {
  const { bodyBytesMax, serverTiming = 'never' } = config;
  const timeouts = { ...(config.timeouts ?? Timeouts.parse({})), firstByteMs: config.timeoutMs };
  const outliers = config.outliers ?? Outliers.parse({});
  const retries = config.retries ?? Retries.parse({});
  const checks: HealthChecks | undefined = config.health && healthChecks(config.health);
  const budget = retryBudget(retries);

  const choose = (but?: Upstream): Upstream | undefined => {
    if (targets.length === 1) {
      const [only] = targets;
      return only !== undefined && only !== but && takes(only) ? only : undefined;
    }
    const one = from(Math.floor(making.random() * targets.length), but);
    const other = from(Math.floor(making.random() * targets.length), but);
    return one === undefined || other === undefined || one.state.underWay <= other.state.underWay ? one : other;
  };
  /** The first one fit, beginning at `start`. */
  const from = (start: number, but: Upstream | undefined): Upstream | undefined => {
    for (let at = 0; at < targets.length; at++) {
      const target = targets[(start + at) % targets.length];
      if (target !== undefined && target !== but && takes(target)) return target;
    }
    return undefined;
  };
  const retrying: Retrying = {
    earn: budget.earn,
    attemptsMax: retries.attempts,
    next: (before) => {
      const next = choose(before) ?? (takes(before) ? before : undefined);
      return next !== undefined && budget.spend() ? next : undefined;
    },
  };
  const targets: readonly Upstream[] = urls.map((url) => {
    const { origin, host, pathname } = new URL(url);
    const target: Upstream = {
      service,
      origin,
      host,
      basePath: pathname.replace(/\/$/, ''),
      pool: making.poolOf(origin, timeouts.connectMs),
      ...(config.protocol === 'http2' && { http2: making.sessionsOf(origin) }),
      timeouts,
      bodyBytesMax,
      state: making.stateOf(service, url),
      failed: () => judge(target, targets, outliers, making.elapsed()),
      retrying,
    };
    return target;
  });
  return {
    service,
    basePath: targets[0]?.basePath ?? '',
    bodyBytesMax,
    serverTiming,
    targets,
    choose,
    retries: budget.spent,
    look: (now) => {
      readmit(targets, now);
      checks?.look(targets, now);
    },
    lookAtShares: (now) => judgeShares(targets, outliers, now),
  };
};
