/**
 * One target of an API: how busy it is, how well it has answered, and whether it gets requests. What is counted here is counted in
 * plain numbers on the way of a request; `outliers.ts` draws the conclusions, ten times a second or after a failure.
 */
import type { Timeouts } from '@postern/schemas';
import type { Http1Pool } from './http1/pool.ts';
import type { Http2Sessions } from './http2-sessions.ts';

export type Upstream = {
  readonly service: string;
  readonly origin: string;
  /** What the Host header names. */
  readonly host: string;
  /** Path of the base URL, without a slash at its end. */
  readonly basePath: string;
  readonly pool: Http1Pool;
  /** Where the API speaks HTTP/2: over TLS as agreed there, in clear text by prior knowledge. */
  readonly http2?: Http2Sessions;
  readonly timeouts: ExchangeTimeouts;
  readonly bodyBytesMax: number;
  /** Goes on when the configuration is taken in anew. */
  readonly state: TargetState;
  /** Called after each failure: it may be one too many. */
  readonly failed: () => void;
  /** Another attempt at another target, or at this one; undefined where there is none to be made. */
  readonly retrying: Retrying;
};

export type Retrying = {
  /** A request has come: it earns its share of a retry. */
  readonly earn: () => void;
  readonly attemptsMax: number;
  /** Where to go next, another target where there is one; undefined where nothing is left of the budget, or nobody to go to. */
  readonly next: (before: Upstream) => Upstream | undefined;
};

export type ExchangeTimeouts = Timeouts & { readonly firstByteMs: number };

export type TargetState = {
  /** `trying`: it gets one request at a time, until one goes well. */
  standing: 'in' | 'trying' | 'out';
  /** Requests under way. */
  underWay: number;
  /** In a row: failures of any kind, and attempts that got no connection. */
  failures: number;
  unreachable: number;
  /** Since the last look at shares. */
  answers: number;
  bad: number;
  /** Monotonic ms; for `out`. */
  outUntil: number;
  /** How often in a row it was set aside. */
  timesOut: number;
  /** What the health check says; true where there is none. */
  well: boolean;
  /** For people: why it gets no requests. */
  why: string | undefined;
  /** Since the start, for the metrics. */
  total: { failures: Record<Failure, number>; setAside: number };
};

export type Failure = 'unreachable' | 'broken-off' | 'timeout' | 'status';

export const newTarget = (): TargetState => ({
  standing: 'in',
  underWay: 0,
  failures: 0,
  unreachable: 0,
  answers: 0,
  bad: 0,
  outUntil: 0,
  timesOut: 0,
  well: true,
  why: undefined,
  total: { failures: { unreachable: 0, 'broken-off': 0, timeout: 0, status: 0 }, setAside: 0 },
});

export const begun = ({ state }: Upstream): void => {
  state.underWay++;
};
export const ended = ({ state }: Upstream): void => {
  state.underWay--;
};

/** The head of an answer has come. */
export const answered = (target: Upstream, status: number): void => {
  const { state } = target;
  if (status >= 500) {
    failed(target, 'status');
    return;
  }
  state.answers++;
  state.failures = 0;
  state.unreachable = 0;
  if (state.standing === 'trying') {
    state.standing = 'in';
    state.timesOut = 0;
    state.why = undefined;
  }
};

export const failed = (target: Upstream, kind: Failure): void => {
  const { state } = target;
  state.answers++;
  state.bad++;
  state.failures++;
  state.unreachable = kind === 'unreachable' ? state.unreachable + 1 : 0;
  state.total.failures[kind]++;
  target.failed();
};

/** May it have another request? */
export const takes = ({ state }: Upstream): boolean =>
  state.standing === 'in' || (state.standing === 'trying' && state.underWay === 0);
