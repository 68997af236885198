/** Telemetry around a log, from outside: what an append did, and how long it took. */
import { attributes, spans, type Telemetry } from '@postern/telemetry';
import type { EventLog } from './port.ts';

export const observed = (inner: EventLog, telemetry: Telemetry): EventLog => ({
  ...inner,
  facts: {
    ...inner.facts,
    append: (expected, drafts) =>
      telemetry.tracing
        ? telemetry.span(
            spans.append,
            {
              kind: 'producer',
              attributes: {
                [attributes.sequence]: expected + 1,
                [attributes.batchSize]: drafts.length,
                [attributes.factType]: drafts[0]?.type ?? '',
                [attributes.factId]: drafts[0]?.id ?? '',
              },
            },
            () => inner.facts.append(expected, drafts),
          )
        : inner.facts.append(expected, drafts),
  },
});
