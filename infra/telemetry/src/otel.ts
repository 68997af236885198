/** Spans by the OpenTelemetry SDK, sent by OTLP over HTTP. Loaded only where an endpoint is configured. */
import { type Context, context, propagation, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import type { Carrier, Metrics, SpanOptions, Telemetry } from './port.ts';

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export type OtelOptions = { readonly otlp: string; readonly service: string; readonly metrics: Metrics };

/**
 * Starts the SDK; `otlp` is the collector's base URL. No auto-instrumentation: every hop that matters carries its context by
 * {@link Telemetry.carrier}, so nothing depends on the order in which modules are loaded (the trap of ESM loaders, see
 * docs/adr/0006-telemetry.md).
 */
export const openOtel = ({ otlp, service, metrics }: OtelOptions): Telemetry & AsyncDisposable => {
  const sdk = new NodeSDK({
    autoDetectResources: false,
    resource: resourceFromAttributes({ 'service.name': service, 'service.namespace': 'postern' }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: `${otlp.replace(/\/$/, '')}/v1/traces` }),
        scheduledDelayMillis: 500,
      }),
    ],
    instrumentations: [],
  });
  sdk.start();
  const tracer = trace.getTracer('postern');
  return {
    span: (name, options, work) => inSpan(tracer, name, options, work),
    carrier: () => {
      const carrier: Record<string, string> = {};
      propagation.inject(context.active(), carrier);
      return carrier;
    },
    traceId: () => trace.getActiveSpan()?.spanContext().traceId,
    tracing: true,
    metrics,
    [Symbol.asyncDispose]: () => sdk.shutdown(),
  };
};

const inSpan = async <Result>(
  tracer: Tracer,
  name: string,
  options: SpanOptions,
  work: () => Promise<Result>,
): Promise<Result> => {
  const parent = options.parent ? extract(options.parent) : context.active();
  const links = (options.links ?? []).flatMap((carrier) => {
    const linked = trace.getSpanContext(extract(carrier));
    return linked ? [{ context: linked }] : [];
  });
  const span = tracer.startSpan(
    name,
    { kind: kinds[options.kind ?? 'internal'], attributes: { ...options.attributes }, links },
    parent,
  );
  try {
    return await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
    throw error;
  } finally {
    span.end();
  }
};

const extract = (carrier: Carrier): Context => propagation.extract(context.active(), { ...carrier });
