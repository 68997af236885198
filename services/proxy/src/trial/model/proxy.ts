/** One run of a proxy, from an empty start to its crash, made of the parts that the product is made of, with a model's network around it. */
import { type Clock, silentLogger } from '@postern/runtime';
import { beginning, type ContextField, type EndpointId, type ObjectQuestion, Organisation } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { announce } from '../../announce.ts';
import { ahead } from '../../decide/ahead.ts';
import { decisionCache } from '../../decide/cache.ts';
import { decideAll, type JointDecision } from '../../decide/decide-all.ts';
import { decider } from '../../decide/decider.ts';
import { openLease } from '../../decide/lease.ts';
import { followFacts } from '../../facts.ts';
import { contexts } from '../../gate/context.ts';
import { type Live, liveExchanges, nowhere } from '../../gate/live.ts';
import { rechecker } from '../../gate/recheck.ts';
import { routesOf } from '../../gate/routes.ts';
import { type Standing, unfit } from '../../gate/standing.ts';
import { heartbeat } from '../../heartbeat.ts';
import { type Caller, identityHolds } from '../../identify/identity.ts';
import { neededRoles } from '../../needed.ts';
import { watchOver } from '../../watch.ts';
import type { History } from './history.ts';
import { type Authorizer, factsBehind, fetched, type Heartbeats } from './network.ts';

export type Call = {
  readonly caller: Caller;
  readonly endpoints: readonly string[];
  readonly objects: readonly ObjectQuestion[];
  readonly now: { readonly now: string };
};

export type ModelProxy = {
  readonly organisation: Organisation;
  readonly live: ReturnType<typeof liveExchanges>;
  readonly fits: () => boolean;
  readonly call: (caller: Caller, endpoints: readonly string[], objects: readonly ObjectQuestion[]) => void;
  readonly beat: () => void;
  readonly look: () => void;
  readonly factsAnswer: () => void;
  readonly factsArrive: () => void;
  readonly headAnswer: () => void;
  readonly headArrive: () => void;
  readonly crash: () => void;
};

export type ModelProxyDeps = {
  readonly instance: string;
  readonly log: History;
  readonly beats: Heartbeats;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** How many facts the next answer of the log carries at most. */
  readonly most: () => number;
  readonly allowed: (call: Call, decision: JointDecision) => void;
  readonly failed: (error: unknown) => void;
};

/** Longer than any run: what waits for it waits for ever. */
const neverMs = 2_000_000_000;
const paths: Readonly<Record<string, readonly [string, string]>> = {
  'api/read': ['GET', '/api/r'],
  'api/write': ['PUT', '/api/w'],
};

export const modelProxy = ({
  instance,
  log,
  beats,
  authorizer,
  clock,
  leaseMs,
  most,
  allowed,
  failed,
}: ModelProxyDeps): ModelProxy => {
  const over = new AbortController();
  const standing: Standing = { state: 'starting', startHead: undefined, enforces: beginning, unreadable: undefined };
  const organisation = new Organisation();
  const sequence = () => organisation.sequence;
  const routes = routesOf(organisation);
  const lease = openLease(clock, leaseMs);
  const cache = decisionCache(50);
  const early = ahead(sequence, neverMs);
  const decide = decider({ point: { decide: authorizer.ask }, cache, sequence, ahead: early, failed });
  const decideEach = decideAll(decide, sequence, failed);
  const live = liveExchanges();
  const contextOf = contexts(clock);
  const recheck = rechecker({
    live,
    decide,
    routes,
    organisation,
    recorder: {
      take: () => true,
      admit: (_record, then) => then(true),
      full: () => undefined,
      waiting: () => 0,
      away: () => false,
      journalBytes: () => 0,
      stop: async () => 0,
    },
    observing: { passes: () => undefined },
    nextId: () => '',
    clock,
    log: silentLogger,
    leaseMs,
  });
  const beating = heartbeat({
    enforcement: { publish: beats.publish },
    instance,
    jwk: { kid: instance } as never,
    standing,
    lease,
    leaseMs,
    clock,
    log: silentLogger,
  });
  const facts = fetched(factsBehind(log, most), 0);
  let head: { readonly tell: (sequence: never) => void; is: number | undefined } | undefined;
  const watch = watchOver({ live, rechecker: recheck, lease, standing, clock, leaseMs, observe: () => {} });

  void announce(
    {
      beating: { beat: beating.beat, start: () => {} },
      facts: {
        head: () =>
          new Promise((tell) => {
            head = { tell, is: undefined };
          }),
      },
      standing,
      log: silentLogger,
    },
    over.signal,
  )
    .then(() =>
      followFacts(
        {
          facts: { follow: () => facts.stream },
          organisation,
          cache,
          routes,
          needed: neededRoles(organisation),
          live,
          rechecker: recheck,
          lease,
          standing,
          applied: early.applied,
          advanced: beating.soon,
          clock,
          leaseMs,
          telemetry: noTelemetry,
          log: silentLogger,
        },
        over.signal,
      ),
    )
    .catch(failed);

  /** As the ladder does it: whoever may answer at all, asks, and looks again when the answer is there. */
  const fits = (): boolean => !over.signal.aborted && unfit(standing, lease) === undefined;
  const open = ({ caller, endpoints: [endpoint = '', ...also] }: Call, dependsOn: readonly ContextField[]): void => {
    const [method = '', path = ''] = paths[endpoint] ?? [];
    const about = {
      decision: '',
      caller,
      service: 'api',
      endpoint,
      also,
      method,
      path,
      dependsOn,
      observed: false,
    };
    // The model calls and closes nothing by itself: a stream ends when it is cut.
    // Its deadlines are another matter, and nobody looks at them here.
    const exchange = { ...about, cut: () => {}, place: nowhere } as unknown as Live;
    // One of a kind is enough, and keeps a run short.
    const has = live.all().some((each) => each.caller === caller && each.endpoint === endpoint);
    if (also.length === 0 && !has) live.add(exchange);
  };
  return {
    organisation,
    live,
    fits,
    call: (caller, endpoints, objects) => {
      if (!fits()) return;
      const now = contextOf(undefined);
      const call: Call = { caller, endpoints, objects, now };
      const told = (decision: JointDecision): void => {
        if (decision.answer.outcome !== 'allow' || !fits() || !identityHolds(caller, organisation, clock.now())) return;
        allowed(call, decision);
        if (objects.length === 0) open(call, decision.answer.dependsOn);
      };
      const [only] = endpoints;
      if (endpoints.length === 1) decide(caller, only as never, now, told, objects);
      else
        decideEach(
          caller,
          endpoints.map((endpoint) => ({ endpoint: endpoint as EndpointId })),
          now,
          told,
        );
    },
    beat: beating.soon,
    look: watch.look,
    factsAnswer: facts.answer,
    factsArrive: () => void facts.arrive(),
    headAnswer: () => {
      if (head !== undefined) head.is ??= log.entries.length;
    },
    headArrive: () => {
      if (head?.is === undefined) return;
      const { tell, is } = head;
      head = undefined;
      tell(is as never);
    },
    crash: () => {
      over.abort();
      for (const exchange of live.all()) live.delete(exchange);
    },
  };
};
