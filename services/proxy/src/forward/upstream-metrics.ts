/** What is told of targets and limits, from counts that were kept anyway. */
import { metrics as names, type Telemetry } from '@postern/telemetry';
import type { Upstreams } from './upstreams.ts';

export type UpstreamMetrics = { readonly observe: () => void };

const failures = ['unreachable', 'broken-off', 'timeout', 'status'] as const;

export const upstreamMetrics = (
  { metrics }: Telemetry,
  upstreams: Upstreams,
  rateLimited: () => ReadonlyMap<string, number>,
): UpstreamMetrics => {
  const ofTarget = ['service', 'target'];
  const up = metrics.gauge(names.upstreamUp, 'Whether a target gets requests', ofTarget);
  const underWay = metrics.gauge(names.upstreamUnderWay, 'Requests under way at a target', ofTarget);
  const failed = metrics.counter(names.upstreamFailures, 'Failures of a target by kind', [...ofTarget, 'kind']);
  const setAside = metrics.counter(names.upstreamSetAside, 'How often a target was set aside', ofTarget);
  const retries = metrics.counter(names.upstreamRetries, 'Requests that were sent again', ['service']);
  const limited = metrics.counter(names.rateLimited, 'Requests refused for their number', ['service']);
  /** What has been told of each count so far. */
  const told = new WeakMap<object, Map<string, number>>();
  const since = (of: object, what: string, count: number): number => {
    const known = told.get(of) ?? new Map<string, number>();
    told.set(of, known);
    const before = known.get(what) ?? 0;
    known.set(what, count);
    return count - before;
  };
  const limits = {};
  return {
    observe: () => {
      for (const group of upstreams.groups()) {
        const { service } = group;
        const again = since(group, 'retries', group.retries());
        if (again > 0) retries(again, { service });
        for (const { origin: target, state } of group.targets) {
          up(state.standing === 'out' ? 0 : 1, { service, target });
          underWay(state.underWay, { service, target });
          for (const kind of failures) {
            const more = since(state, kind, state.total.failures[kind]);
            if (more > 0) failed(more, { service, target, kind });
          }
          const times = since(state, 'set aside', state.total.setAside);
          if (times > 0) setAside(times, { service, target });
        }
      }
      for (const [service, count] of rateLimited()) {
        const more = since(limits, service, count);
        if (more > 0) limited(more, { service });
      }
    },
  };
};
