/**
 * Plays one schedule: every number is one step. Three proxies, two readers of the barrier, one log; and after every step everything that can
 * happen by itself has happened. Fails where a proxy allows what no state of the log allows that it may still stand on.
 */
import assert from 'node:assert/strict';
import { assertNever, type ObjectQuestion, type Organisation, type Question } from '@postern/schemas';
import type { JointDecision } from '../../decide/decide-all.ts';
import { toCaller } from '../../identify/identity.ts';
import { judge } from '../brute-force.ts';
import { handClock } from '../clock.ts';
import { history } from './history.ts';
import { authorizer, heartbeats } from './network.ts';
import { type Call, type ModelProxy, modelProxy } from './proxy.ts';
import { toStep } from './steps.ts';
import { type Acknowledge, type Waiting, waiting } from './waiting.ts';

const leaseMs = 5_000;
const proxies = 3;
/** Two things never happen at the same instant. */
const tickMs = 0.01;
const callers = [
  { principal: 'user:ann', actors: [] },
  { principal: 'user:bob', actors: [] },
  { principal: 'user:ann', credential: 'credential:k1', actors: [] },
  { principal: 'user:ann', actors: ['user:bob'] },
].map((about) => toCaller(about as never));
/** Asked besides the endpoint: nothing (as often as anything), one object, another one. */
const asks: readonly (readonly ObjectQuestion[])[] = [
  [],
  [],
  [{ resource: 'employee:1', permission: 'view' }],
  [{ resource: 'employee:2', permission: 'view' }],
];
const endpointsOf = [['api/read'], ['api/write'], ['api/read', 'api/write']];

/** How often what happened: a run says nothing unless all of it did. */
export type Told = Record<
  'allows' | 'objects' | 'cached' | 'joint' | 'overtaken' | 'acknowledged' | 'lapsed' | 'crashes' | 'streams' | 'unfit',
  number
>;
export const nothingTold = (): Told => ({
  allows: 0,
  objects: 0,
  cached: 0,
  joint: 0,
  overtaken: 0,
  acknowledged: 0,
  lapsed: 0,
  crashes: 0,
  streams: 0,
  unfit: 0,
});

export const play = async (steps: readonly number[], told: Told): Promise<void> => {
  const clock = handClock();
  const log = history();
  const mute = new Set<number>();
  const slow = new Set<number>();
  const numberOf = (instance: string): number => Number(instance['proxy-'.length]);
  const beats = heartbeats(
    (instance) => mute.has(numberOf(instance)),
    (instance) => slow.has(numberOf(instance)),
  );
  const pdp = authorizer(log);
  const failures: unknown[] = [];
  const running: ModelProxy[] = [];
  const deaf = new Set<number>();
  /** Of those who wait: which do not hear the proxies. */
  const deafBarriers = new Set<number>();
  let away = false;
  let most = 3;
  let runs = 0;
  /** Everything up to here was answered as enforced. */
  let acknowledged = 0;

  const start = (at: number): void => {
    const proxy: ModelProxy = modelProxy({
      instance: `proxy-${at}-${runs++}`,
      log,
      beats,
      authorizer: pdp,
      clock,
      leaseMs,
      most: () => most,
      allowed: (call, decision) => check(at, proxy, call, decision),
      failed: (error) => failures.push(error),
    });
    running[at] = proxy;
  };

  const questions = ({ caller, endpoints, objects }: Call): Pick<Question, 'subjects' | 'endpoint' | 'objects'>[] =>
    endpoints.map((endpoint) => ({ subjects: caller.subjects, endpoint: endpoint as never, objects }));
  const check = (at: number, proxy: ModelProxy, call: Call, { answer, cached }: JointDecision): void => {
    told.allows++;
    if (call.objects.length > 0) told.objects++;
    if (cached) told.cached++;
    if (call.endpoints.length > 1) told.joint++;
    if (answer.outcome === 'allow' && answer.sequence < proxy.organisation.sequence) told.overtaken++;
    const asked = questions(call);
    const applied = proxy.organisation.sequence;
    const heard = log.headAt(clock.elapsed() - leaseMs);
    const from = Math.max(applied, heard, acknowledged);
    const allows = (state: Organisation): boolean =>
      asked.every((question) => judge(state, question, call.now).outcome === 'allow');
    if (from === applied && allows(proxy.organisation)) return;
    if (log.someState(from, allows)) return;
    assert.fail(
      `proxy ${at} let ${call.caller.caller} through to ${call.endpoints} ${JSON.stringify(call.objects)} at ${applied}; the log holds ` +
        `${log.entries.length}, a lease ago ${heard}, enforced was ${acknowledged}: no state from ${from} on allows it`,
    );
  };

  const acknowledge: Acknowledge = (sequence, lapsed) => {
    told.acknowledged++;
    if (lapsed > 0) told.lapsed++;
    acknowledged = Math.max(acknowledged, sequence);
    for (const [at, { live }] of running.entries())
      for (const { caller, endpoint, dependsOn } of live.all()) {
        told.streams++;
        const question = { subjects: caller?.subjects ?? [], endpoint: endpoint as never };
        const now = { now: new Date(clock.now()).toISOString() };
        // Whose hour has passed is cut at the next look, whatever the log says.
        const stands = (state: Organisation): boolean => {
          const answer = judge(state, question, now);
          return (
            answer.outcome === 'allow' ||
            (dependsOn.includes('now') && 'reason' in answer && answer.reason === 'condition-unmet')
          );
        };
        if (!log.someState(sequence, stands))
          assert.fail(
            `${sequence} was answered as enforced while proxy ${at} kept a stream to ${endpoint} open that it forbids`,
          );
      }
  };
  const whoWait = (): Waiting => waiting(beats, clock, () => most * 3, acknowledge);
  const barriers: [Waiting, Waiting] = [whoWait(), whoWait()];

  /** Whatever can be heard is heard, by everyone who is not cut off. */
  const calm = async (): Promise<void> => {
    for (let round = 0; round < 4; round++) {
      for (const [at, proxy] of running.entries()) {
        if (round === 0) proxy.beat();
        if (deaf.has(at)) continue;
        proxy.headAnswer();
        proxy.headArrive();
        proxy.factsAnswer();
        proxy.factsArrive();
      }
      clock.advance(tickMs);
      beats.storeAll();
      await settle();
    }
    for (const [index, each] of barriers.entries()) {
      if (deafBarriers.has(index)) continue;
      each.answer();
      each.arrive();
    }
  };
  /** Time passes as it does: everyone who is not cut off goes on beating and hearing. */
  const live = async (rounds: number, roundMs = 500): Promise<void> => {
    most = 1_000;
    for (let round = 0; round < rounds; round++) {
      clock.advance(roundMs);
      for (const each of running) each.look();
      await calm();
    }
  };

  const everyoneCalls = async (): Promise<void> => {
    for (const each of running) for (let one = 0; one < 8; one++) call(each, one);
    for (let asked = 0; asked < 24; asked++) {
      if (asked % 8 === 0) await settle();
      if (!away) pdp.compute(0);
      pdp.deliver(0);
    }
    await settle();
  };
  /** A proxy that others hear no more, and a little later hears no more itself, while something is taken away; perhaps it comes back. */
  const lapse = async (at: number, which: number): Promise<void> => {
    const proxy = running[at];
    if (proxy === undefined) return;
    const roundMs = which % 2 === 0 ? 500 : 300;
    await everyoneCalls();
    if (which % 4 < 2) slow.add(at);
    proxy.beat();
    beats.storeAll();
    for (const each of barriers) {
      each.answer();
      each.arrive();
    }
    if ((which >> 13) % 4 > 0) mute.add(at);
    await live((which >> 2) % 6, roundMs);
    slow.delete(at);
    await live((which >> 5) % 9, roundMs);
    // The last that it is told of the log lies in a buffer from here on.
    proxy.factsAnswer();
    deaf.add(at);
    for (let fact = 0; fact < 3; fact++) log.another(13 * ((which >> fact) % 64) + 3 + fact, clock.elapsed());
    for (const each of barriers) each.wait(log.entries.length);
    await live((which >> 8) % 20, roundMs);
    if ((which >> 12) % 2 === 0) {
      mute.delete(at);
      proxy.beat();
      beats.storeAll();
      await settle();
    }
    if ((which >> 15) % 2 === 0) proxy.factsArrive();
    await settle();
    await everyoneCalls();
  };

  for (let at = 0; at < proxies; at++) start(at);
  most = 1_000;
  for (let round = 0; round < 3; round++) await calm();
  assert.ok(
    running.every((proxy) => proxy.fits()),
    'undisturbed, every proxy comes to serve',
  );

  for (const number of steps) {
    clock.advance(tickMs);
    const { kind, rest } = toStep(number);
    const at = rest % proxies;
    const which = Math.floor(rest / proxies);
    const proxy = running[at];
    const whose = which % 2 === 0 ? 0 : 1;
    const barrier = barriers[whose];
    if (proxy === undefined) continue;
    switch (kind) {
      case 'fact':
        log.another(rest, clock.elapsed());
        continue;
      case 'call':
        if (!proxy.fits()) told.unfit++;
        call(proxy, which);
        break;
      case 'everyone-calls':
        await everyoneCalls();
        break;
      case 'follow':
        if (deaf.has(at)) continue;
        most = 1 + (which % 4);
        proxy.factsAnswer();
        proxy.factsArrive();
        break;
      case 'facts-answer':
        if (deaf.has(at)) continue;
        proxy.factsAnswer();
        proxy.headAnswer();
        continue;
      case 'facts-arrive':
        proxy.factsArrive();
        proxy.headArrive();
        break;
      case 'beat':
        proxy.beat();
        break;
      case 'beat-store':
        beats.store(rest);
        continue;
      case 'beat-acknowledge':
        beats.acknowledge(rest);
        break;
      case 'beat-fail':
        beats.fail(rest);
        break;
      case 'project':
        pdp.project(1 + (rest % 3));
        continue;
      case 'compute':
        if (away) continue;
        if (rest % 8 === 0) pdp.computeBehind(rest >> 3);
        else pdp.compute(rest >> 3);
        continue;
      case 'deliver':
        pdp.deliver(rest);
        break;
      case 'answer':
        if (away) continue;
        pdp.compute(0);
        pdp.deliver(0);
        break;
      case 'lose':
        pdp.lose(rest);
        break;
      case 'authorizer-restart':
        pdp.restart();
        break;
      case 'authorizer-away':
        away = rest % 2 === 0;
        continue;
      case 'crash':
        told.crashes++;
        proxy.crash();
        start(at);
        break;
      case 'cut-off':
        if (which % 5 === 4) deafBarriers.add(rest % 2);
        else (which % 2 === 0 ? deaf : mute).add(at);
        continue;
      case 'reconnect':
        if (which % 4 !== 1) mute.clear();
        if (which % 4 !== 2) deaf.clear();
        if (which % 4 !== 3) deafBarriers.clear();
        for (const each of running) each.beat();
        beats.storeAll();
        break;
      case 'calm':
        most = 1_000;
        await calm();
        break;
      case 'live':
        await live(1 + (which % 12));
        break;
      case 'lapse':
        await lapse(at, which);
        break;
      case 'barrier':
        barrier.wait(log.entries.length);
        continue;
      case 'barrier-answer':
        if (deafBarriers.has(whose)) continue;
        most = 1 + (which % 4);
        barrier.answer();
        continue;
      case 'barrier-arrive':
        barrier.arrive();
        continue;
      case 'barrier-restart':
        barriers[whose] = whoWait();
        continue;
      case 'time':
        clock.advance([50, 100, 200, 400, 800, 1_000, 2_500, 4_900, 5_000, 5_200][which % 10] ?? 0);
        for (const each of running) each.look();
        break;
      default:
        assertNever(kind);
    }
    await settle();
  }
  for (const each of running) each.crash();
  assert.deepEqual(failures, []);
};

/** A call that chance decides, of its caller, endpoints and objects. */
const call = (proxy: ModelProxy, which: number): void => {
  const caller = callers[which % callers.length];
  const endpoints = endpointsOf[(which >> 2) % endpointsOf.length];
  const objects = asks[(which >> 4) % asks.length] ?? [];
  if (caller !== undefined && endpoints !== undefined)
    proxy.call(caller, endpoints, endpoints.length === 1 ? objects : []);
};

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
