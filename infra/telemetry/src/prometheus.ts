/** Metrics by prom-client: always on, because `/metrics` is always there; one registry a process. */
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from './port.ts';

/** Seconds: from a cached decision (tens of µs) to a revocation that waited for a lease. */
const buckets = [0.00005, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** `labels` go on every number, to tell processes apart. */
export const prometheusMetrics = (labels: Readonly<Record<string, string>> = {}): Metrics => {
  const registry = new Registry();
  registry.setDefaultLabels({ ...labels });
  // All rooms of one process share the registry: the second to ask for a name gets the first one's instrument.
  const shared = <Instrument>(name: string, make: () => Instrument): Instrument =>
    (registry.getSingleMetric(name) as Instrument | undefined) ?? make();
  const options = (name: string, help: string, labels: readonly string[]) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter: (name, help, labels = []) => {
      const counter = shared(name, () => new Counter(options(name, help, labels)));
      return (by, values) => (values ? counter.inc(values, by) : counter.inc(by));
    },
    gauge: (name, help, labels = []) => {
      const gauge = shared(name, () => new Gauge(options(name, help, labels)));
      return (value, values) => (values ? gauge.set(values, value) : gauge.set(value));
    },
    histogram: (name, help, labels = []) => {
      const histogram = shared(name, () => new Histogram({ ...options(name, help, labels), buckets }));
      return (seconds, values) => (values ? histogram.observe(values, seconds) : histogram.observe(seconds));
    },
    snapshot: () => registry.getMetricsAsJSON(),
    exposition: async (others = []) => {
      if (others.length === 0) return { contentType: registry.contentType, text: await registry.metrics() };
      const all = [await registry.getMetricsAsJSON(), ...others.filter(Array.isArray)];
      return { contentType: registry.contentType, text: await AggregatorRegistry.aggregate(all).metrics() };
    },
  };
};
