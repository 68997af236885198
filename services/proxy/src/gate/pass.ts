/** The last rung: written down, told to whoever keeps track of what is open, and sent on. */

import type { Clock } from '@postern/runtime';
import type { Answer } from '@postern/schemas';
import type { Assertions } from '../assert.ts';
import type { Cut, Watch } from '../forward/forwarding.ts';
import { forwardHttp } from '../forward/http.ts';
import type { UpgradeForwarder } from '../forward/upgrade.ts';
import type { Upstream, Upstreams } from '../forward/upstreams.ts';
import type { Recorder } from '../record.ts';
import { toRefusal } from '../refusal.ts';
import { answer } from './door.ts';
import type { LadderDeps } from './ladder.ts';
import type { Live, LiveExchanges } from './live.ts';
import type { GateMetrics } from './metrics.ts';
import { type Passage, toOutcome, toRecord } from './passage.ts';
import { type VisibleToolsDeps, visibleTools } from './visible-tools.ts';

export type PassDeps = {
  readonly upstreams: Upstreams;
  readonly assertions: Assertions;
  readonly forwardUpgrade: UpgradeForwarder;
  readonly recorder: Recorder;
  readonly live: LiveExchanges;
  readonly clock: Clock;
  readonly metrics: GateMetrics;
} & VisibleToolsDeps;

export const passer = (deps: PassDeps): LadderDeps['forward'] => {
  const { upstreams, recorder, live, clock, metrics } = deps;
  return (passage, allowed: Extract<Answer, { outcome: 'allow' }>, cached, observed) => {
    const { id, door, read, match } = passage;
    if (match === undefined) throw new TypeError('only what was matched is passed on');
    const upstream = upstreams.find(match.service.name, match.below);
    const tooLarge = upstream !== undefined && read.body.kind === 'sized' && read.body.bytes > upstream.bodyBytesMax;
    const refusedWith = upstream === undefined ? 502 : tooLarge ? 413 : undefined;
    const record = toRecord(passage, clock, {
      ...toOutcome(allowed, cached),
      ...(observed !== undefined && { observed }),
      ...(refusedWith !== undefined && { refusedWith }),
    });
    if (!recorder.take(record)) {
      metrics.refused('recording-full', 'unavailable');
      return answer(door, toRefusal('proxy/recording-full', { decision: id }), id);
    }
    metrics.allowed();
    if (upstream === undefined) return answer(door, toRefusal('proxy/upstream-unreachable', { decision: id }), id);
    if (tooLarge)
      return answer(
        door,
        toRefusal('proxy/body-too-large', { decision: id, detail: `The limit is ${upstream.bodyBytesMax} bytes.` }),
        id,
      );

    let over = false;
    let cut: Cut = () => {};
    const exchange: Live = {
      decision: id,
      ...(passage.caller !== undefined && { caller: passage.caller }),
      service: match.service.name,
      endpoint: match.endpoint.id,
      also: (passage.called ?? []).slice(1).map((each) => each.id),
      method: read.method,
      path: read.path,
      ...(read.ip !== undefined && { ip: read.ip }),
      dependsOn: allowed.dependsOn,
      observed: observed !== undefined,
      cut: () => cut(),
    };
    const watch: Watch = {
      failed: (code, detail) =>
        answer(door, toRefusal(code, { decision: id, ...(detail !== undefined && { detail }) }), id),
      ended: () => {
        over = true;
        live.delete(exchange);
      },
    };
    const out = {
      upstream,
      read,
      decision: id,
      ...(observed !== undefined && { observed: true }),
      path: `${upstream.basePath}${match.below}${read.query}`,
      headers: outgoingHeaders(deps, passage, upstream),
      ...(passage.body !== undefined && { body: passage.body }),
      ...(passage.lists === true && { rewrite: visibleTools(deps, passage) }),
    };
    live.add(exchange);
    if (door.kind === 'upgrade') cut = deps.forwardUpgrade(door.req, door.socket, door.head, out, watch);
    else {
      // A request that was read to its end is destroyed by node itself; a caller that went away takes the response with it.
      if (door.res.destroyed || (door.req.destroyed && passage.body === undefined)) return watch.ended();
      if (door.expectsContinue && passage.body === undefined) door.res.writeContinue();
      cut = forwardHttp(door.req, door.res, out, watch);
    }
    if (over) live.delete(exchange);
  };
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
