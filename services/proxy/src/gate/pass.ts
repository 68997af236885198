/** The last rung: written down, told to whoever keeps track of what is open, and sent on. */

import type { Clock } from '@postern/runtime';
import type { Answer } from '@postern/schemas';
import type { Assertions } from '../assert.ts';
import type { Vouch } from '../authorize/vouch.ts';
import type { Cut, Watch } from '../forward/forwarding.ts';
import { forwardHttp } from '../forward/http.ts';
import { forwardHttp2 } from '../forward/http2.ts';
import type { Upstream } from '../forward/target.ts';
import type { UpgradeForwarder } from '../forward/upgrade.ts';
import type { UpstreamGroup, Upstreams } from '../forward/upstreams.ts';
import type { Recorder } from '../record.ts';
import { recordingRefused, toRefusal } from '../refusal.ts';
import { answer, lastOf } from './door.ts';
import type { LadderDeps } from './ladder.ts';
import { type Live, type LiveExchanges, nowhere } from './live.ts';
import type { GateMetrics } from './metrics.ts';
import { type Passage, toRecord } from './passage.ts';
import { serverTimingText } from './server-timing.ts';
import { type VisibleToolsDeps, visibleTools } from './visible-tools.ts';

export type PassDeps = {
  readonly upstreams: Upstreams;
  readonly assertions: Assertions;
  readonly forwardUpgrade: UpgradeForwarder;
  /** The last rung for whoever forwards by itself. */
  readonly vouch: Vouch;
  readonly recorder: Recorder;
  readonly live: LiveExchanges;
  readonly clock: Clock;
  readonly metrics: GateMetrics;
  /** The gate is stopping: what is answered now is the last on its connection. */
  readonly draining: () => boolean;
} & VisibleToolsDeps;

const nothingElse: readonly string[] = [];

/** What is made for every request has all its members from the beginning: an object that is spread together costs more than it holds. */
export const passer = (deps: PassDeps): LadderDeps['forward'] => {
  const { upstreams, recorder, live, clock, metrics } = deps;
  return (passage, allowed: Extract<Answer, { outcome: 'allow' }>, cached, observed) => {
    const { id, door, read, match } = passage;
    if (match === undefined) throw new TypeError('only what was matched is passed on');
    if (door.kind === 'asked') return deps.vouch(passage, door, allowed, cached, observed);
    const group = upstreams.find(match.service.name, match.below);
    const tooLarge = group !== undefined && read.body.kind === 'sized' && read.body.bytes > group.bodyBytesMax;
    const upstream = tooLarge ? undefined : group?.choose();
    const refusedWith = group === undefined ? 502 : tooLarge ? 413 : upstream === undefined ? 503 : undefined;
    const record = toRecord(passage, clock, {
      outcome: allowed.outcome,
      sequence: allowed.sequence,
      cached,
      observed,
      refusedWith,
    });
    const unrecorded = (): void => {
      metrics.refused('recording-full', 'unavailable');
      answer(door, toRefusal('proxy/recording-full', { decision: id, ...recordingRefused(recorder) }), id);
    };
    if (upstream === undefined) {
      if (!recorder.take(record)) return unrecorded();
      metrics.allowed();
      const detail = tooLarge ? `The limit is ${group.bodyBytesMax} bytes.` : undefined;
      const code =
        group === undefined ? 'proxy/upstream-unreachable' : tooLarge ? 'proxy/body-too-large' : 'proxy/no-upstream';
      return answer(door, toRefusal(code, { decision: id, ...(detail !== undefined && { detail }) }), id);
    }

    let over = false;
    // Until it goes on its way there is nothing to end but the caller's side.
    let cut: Cut = () => void (door.kind === 'upgrade' ? door.socket : door.res).destroy();
    const since = clock.elapsed();
    const unread = passage.body === undefined && read.body.kind !== 'none' && !door.req.complete;
    const exchange: Live = {
      door,
      timeouts: upstream.timeouts,
      waitsFor: unread ? 'request' : 'answer',
      moved: false,
      quietSince: since,
      octets: 0,
      decision: id,
      caller: passage.caller,
      service: match.service.name,
      endpoint: match.endpoint.id,
      also: passage.called === undefined ? nothingElse : passage.called.slice(1).map((each) => each.id),
      objectsOf: passage.objectsOf,
      method: read.method,
      path: read.path,
      ip: read.ip,
      dependsOn: allowed.dependsOn,
      observed: observed !== undefined,
      since,
      cut: (why) => cut(why),
      place: nowhere,
    };
    const watch: Watch = {
      failed: (code, detail) =>
        answer(door, toRefusal(code, { decision: id, ...(detail !== undefined && { detail }) }), id),
      ended: () => {
        over = true;
        live.delete(exchange);
      },
    };
    const go = (): void => {
      // A request that was read to its end is destroyed by node itself; a caller that went away takes the response with it.
      const gone =
        door.kind === 'upgrade'
          ? door.socket.destroyed
          : door.res.destroyed || (door.req.destroyed && passage.body === undefined);
      if (gone) {
        watch.ended();
        return;
      }
      const out = {
        upstream,
        read,
        decision: id,
        observed: observed !== undefined,
        path: `${upstream.basePath}${match.below}${read.query}`,
        headers: outgoingHeaders(deps, passage, upstream),
        pace: exchange,
        adds: added(passage, group?.serverTiming ?? 'never', clock),
        body: passage.body,
        rewrite: passage.lists ? visibleTools(deps, passage) : undefined,
      };
      if (deps.draining()) lastOf(door);
      if (door.kind === 'upgrade') cut = deps.forwardUpgrade(door.req, door.socket, door.head, out, watch);
      else {
        if (door.expectsContinue && passage.body === undefined) door.res.writeContinue();
        cut =
          upstream.http2 === undefined
            ? forwardHttp(door.req, door.res, out, watch)
            : forwardHttp2(door.req, door.res, out, watch, upstream.http2);
      }
      if (over) live.delete(exchange);
    };
    // It is live before it is recorded: a revocation that comes between ends it as any other.
    live.add(exchange);
    recorder.admit(record, (recorded) => {
      if (recorded) {
        metrics.allowed();
        go();
      } else {
        watch.ended();
        unrecorded();
      }
    });
  };
};

/** Undefined, and nothing is made, where there is nothing to add to the answer: in the ordinary case. */
const added = (
  { timing, rateHeaders }: Passage,
  serverTiming: UpstreamGroup['serverTiming'],
  clock: Clock,
): (() => readonly string[]) | undefined => {
  if (rateHeaders === undefined && (timing === undefined || serverTiming === 'never')) return undefined;
  const sentAt = clock.elapsed();
  return () => [
    ...(rateHeaders ?? []),
    ...(timing === undefined || serverTiming === 'never'
      ? []
      : ['Server-Timing', serverTimingText(timing, sentAt, clock.elapsed())]),
  ];
};

/** The client's, as far as they go on, and ours. `match.below` begins with the mount's end, so the path is what was decided on. */
const outgoingHeaders = (
  { assertions }: PassDeps,
  { id, read, caller, match, carrier, body, lists }: Passage,
  upstream: Upstream,
): string[] => {
  const sent = lists === true ? unencoded(read.headers) : read.headers;
  const headers = [...sent, 'Host', upstream.host];
  if (read.ip !== undefined) headers.push('X-Forwarded-For', read.ip);
  headers.push('X-Forwarded-Proto', read.scheme, 'X-Forwarded-Host', read.host, 'Postern-Decision', id);
  if (caller !== undefined && match !== undefined)
    headers.push('Postern-Assertion', assertions.assert(caller, match.service.name, match.endpoint.id));
  if (body !== undefined && body.length > 0) headers.push('Content-Length', String(body.length));
  else if (read.body.kind === 'sized' && read.body.bytes > 0) headers.push('Content-Length', String(read.body.bytes));
  if (read.trailers) headers.push('TE', 'trailers');
  if (carrier !== undefined) for (const [name, value] of Object.entries(carrier)) headers.push(name, value);
  else if (read.traceparent !== undefined) headers.push('traceparent', read.traceparent);
  return headers;
};

/** An answer that has to be read must come as it is. */
const unencoded = (headers: readonly string[]): string[] => {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2)
    if (headers[at]?.toLowerCase() !== 'accept-encoding') kept.push(headers[at] ?? '', headers[at + 1] ?? '');
  return [...kept, 'Accept-Encoding', 'identity'];
};
