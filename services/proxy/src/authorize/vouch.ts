/**
 * The last rung for a request that another gateway holds: written down, and the gateway is told that it may pass, with our word for the
 * API. What happens to the request then is not seen here, so nothing is kept of it that could be cut.
 */
import type { Clock } from '@postern/runtime';
import type { Answer } from '@postern/schemas';
import type { Assertions } from '../assert.ts';
import { type Asked, answer } from '../gate/door.ts';
import type { GateMetrics } from '../gate/metrics.ts';
import type { ObservedReason } from '../gate/observing.ts';
import { type Passage, toOutcome, toRecord } from '../gate/passage.ts';
import type { Recorder } from '../record.ts';
import { recordingRefused, toRefusal } from '../refusal.ts';

export type VouchDeps = {
  readonly assertions: Assertions;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly metrics: GateMetrics;
};
export type Vouch = (
  passage: Passage,
  door: Asked,
  allowed: Extract<Answer, { outcome: 'allow' }>,
  cached: boolean | undefined,
  observed?: ObservedReason,
) => void;

export const voucher =
  ({ assertions, recorder, clock, metrics }: VouchDeps): Vouch =>
  (passage, door, allowed, cached, observed) => {
    const { id, caller, match } = passage;
    const record = toRecord(passage, clock, {
      ...toOutcome(allowed, cached),
      ...(observed !== undefined && { observed }),
    });
    if (!recorder.take(record)) {
      metrics.refused('recording-full', 'unavailable');
      return answer(door, toRefusal('proxy/recording-full', { decision: id, ...recordingRefused(recorder) }), id);
    }
    metrics.allowed();
    door.allow({
      decision: id,
      ...(caller !== undefined &&
        match !== undefined && { assertion: assertions.assert(caller, match.service.name, match.endpoint.id) }),
      observed: observed !== undefined,
    });
  };
