/** The default: spans cost one call, metrics nothing. */
import type { Metrics, Telemetry } from './port.ts';

const ignore = (): void => {};
const empty = {};
const noMetrics: Metrics = {
  counter: () => ignore,
  gauge: () => ignore,
  histogram: () => ignore,
  snapshot: async () => undefined,
  exposition: async () => ({ contentType: 'text/plain; version=0.0.4', text: '' }),
};

export const noTelemetry: Telemetry = {
  span: (_name, _options, work) => work(),
  carrier: () => empty,
  traceId: () => undefined,
  tracing: false,
  metrics: noMetrics,
};
