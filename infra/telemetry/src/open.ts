/** Opens telemetry: metrics always, spans only where an OTLP endpoint is given. */
import { noTelemetry } from './no-op.ts';
import type { Telemetry } from './port.ts';
import { prometheusMetrics } from './prometheus.ts';

export type TelemetryOptions = {
  /** `service.name` of the spans, for instance "postern-proxy". */
  readonly service: string;
  /** Base URL of an OTLP/HTTP collector; without one nothing is traced and the SDK is not even loaded. */
  readonly otlp?: string | undefined;
  /** On every number, to tell processes apart that are shown together. */
  readonly labels?: Readonly<Record<string, string>>;
};

export const openTelemetry = async ({
  service,
  otlp,
  labels = {},
}: TelemetryOptions): Promise<Telemetry & AsyncDisposable> => {
  const metrics = prometheusMetrics(labels);
  if (otlp === undefined) return { ...noTelemetry, metrics, [Symbol.asyncDispose]: async () => {} };
  const { openOtel } = await import('./otel.ts');
  return openOtel({ otlp, service, metrics });
};
