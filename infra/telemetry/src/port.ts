/**
 * Telemetry as the rest sees it: spans around what is done, numbers about how it goes. No-op by default and free then.
 * Audit is never derived from it: traces are sampled and may be lost, the record may not.
 */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** W3C trace context as it travels in headers: `traceparent`, `tracestate`. */
export type Carrier = Readonly<Record<string, string>>;

export interface Telemetry {
  /** Runs `work` inside a span; a rejection marks the span failed. `parent` continues a trace that came from elsewhere. */
  span<Result>(name: string, options: SpanOptions, work: () => Promise<Result>): Promise<Result>;
  /** The active span's context, to be put on a message or a request; empty where there is none. */
  carrier(): Carrier;
  /** The active trace's id, 32 hex digits; undefined where nothing is recorded. */
  traceId(): string | undefined;
  /** False where spans go nowhere: lets a hot path skip even the making of attributes. */
  readonly tracing: boolean;
  readonly metrics: Metrics;
}

export type SpanOptions = {
  readonly attributes?: Attributes;
  readonly parent?: Carrier;
  readonly links?: readonly Carrier[];
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
};

/** Prometheus-style instruments; names from names.ts, made once at start. */
export interface Metrics {
  counter(
    name: string,
    help: string,
    labels?: readonly string[],
  ): (by: number, labels?: Readonly<Record<string, string>>) => void;
  gauge(
    name: string,
    help: string,
    labels?: readonly string[],
  ): (value: number, labels?: Readonly<Record<string, string>>) => void;
  /** Seconds. */
  histogram(
    name: string,
    help: string,
    labels?: readonly string[],
  ): (seconds: number, labels?: Readonly<Record<string, string>>) => void;
  /** What other processes measure can be told here: plain data for {@link exposition}. */
  snapshot(): Promise<unknown>;
  /** The exposition text for `/metrics`, with the snapshots of other processes. */
  exposition(others?: readonly unknown[]): Promise<{ readonly contentType: string; readonly text: string }>;
}
