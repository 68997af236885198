/** Spans around the engine's work, from outside the adapters. */
import { attributes, spans, type Telemetry } from '@postern/telemetry';
import type { Relationships } from './port.ts';

export const observed = (inner: Relationships, telemetry: Telemetry): Relationships => ({
  writeSchema: (schema) => telemetry.span(spans.write, { kind: 'client' }, () => inner.writeSchema(schema)),
  reached: () => inner.reached(),
  project: (projection) =>
    telemetry.span(
      spans.write,
      {
        kind: 'client',
        attributes: { [attributes.sequence]: projection.to, [attributes.batchSize]: projection.updates.length },
      },
      () => inner.project(projection),
    ),
  check: (items, zookie) =>
    telemetry.tracing
      ? telemetry.span(spans.check, { kind: 'client', attributes: { [attributes.batchSize]: items.length } }, () =>
          inner.check(items, zookie),
        )
      : inner.check(items, zookie),
  checkAt: (items, at) =>
    telemetry.tracing
      ? telemetry.span(spans.check, { kind: 'client', attributes: { [attributes.batchSize]: items.length } }, () =>
          inner.checkAt(items, at),
        )
      : inner.checkAt(items, at),
  read: () => inner.read(),
  subjects: (query, zookie) => inner.subjects(query, zookie),
  resources: (query, zookie) => inner.resources(query, zookie),
  ping: () => inner.ping(),
  [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
});
