/** The numbers that the gate tells about itself. */
import { metrics as names, type Telemetry } from '@postern/telemetry';

export type GateMetrics = {
  readonly allowed: () => void;
  readonly refused: (reason: string, outcome: 'deny' | 'unavailable') => void;
  readonly decideSeconds: (seconds: number) => void;
  readonly observe: (now: {
    cached: number;
    enforces: number;
    live: number;
    unrecorded: number;
    journalBytes: number;
    logAway: boolean;
  }) => void;
};

export const gateMetrics = ({ metrics }: Telemetry): GateMetrics => {
  const requests = metrics.counter(names.requests, 'Requests by outcome', ['outcome']);
  const failClosed = metrics.counter(names.failClosed, 'Requests refused because the gate could not decide', [
    'reason',
  ]);
  const decideSeconds = metrics.histogram(names.decideSeconds, 'Time to decisions that were not cached');
  const cached = metrics.gauge(names.cacheEntries, 'Decisions kept');
  const enforces = metrics.gauge(names.enforces, 'The sequence that this proxy enforces');
  const live = metrics.gauge(names.liveStreams, 'Exchanges under way');
  const unrecorded = metrics.gauge(names.recordBuffer, 'Decisions that wait for the log');
  const journalBytes = metrics.gauge(names.recordJournal, 'Bytes in the journal of decisions');
  const logAway = metrics.gauge(names.recordLogAway, '1 while the log takes no decisions');
  /** Counted here and told at the next look: an instrument with labels costs a request more than its route match. */
  let passed = 0;
  return {
    allowed: () => {
      passed++;
    },
    refused: (reason, outcome) => {
      requests(1, { outcome });
      if (outcome === 'unavailable') failClosed(1, { reason });
    },
    decideSeconds: (seconds) => decideSeconds(seconds),
    observe: (now) => {
      if (passed > 0) requests(passed, { outcome: 'allow' });
      passed = 0;
      cached(now.cached);
      enforces(now.enforces);
      live(now.live);
      unrecorded(now.unrecorded);
      journalBytes(now.journalBytes);
      logAway(now.logAway ? 1 : 0);
    },
  };
};
