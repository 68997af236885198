/** A store whose writes are spans and whose growth is a gauge. Wrapped around a backend from outside; none knows of it. */
import { attributes, metrics, spans, type Telemetry } from '@postern/telemetry';
import type { AuditStore } from './port.ts';

export const observed = (inner: AuditStore, telemetry: Telemetry): AuditStore => {
  const size = telemetry.metrics.gauge(metrics.auditSize, 'Entries in the audit log', ['log']);
  return {
    writer: {
      rowsPerAppend: inner.writer.rowsPerAppend,
      state: (log) => inner.writer.state(log),
      append: (append) =>
        telemetry.span(
          spans.store,
          {
            attributes: {
              [attributes.log]: append.log,
              [attributes.batchSize]: append.entries.length,
              [attributes.size]: append.expected,
            },
            kind: 'client',
          },
          async () => {
            await inner.writer.append(append);
            size(append.expected + append.entries.length, { log: append.log });
          },
        ),
      seal: (log, checkpoint) => inner.writer.seal(log, checkpoint),
      cosign: (log, checkpoint, witnesses) => inner.writer.cosign(log, checkpoint, witnesses),
    },
    reader: inner.reader,
    ping: () => inner.ping(),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
};
