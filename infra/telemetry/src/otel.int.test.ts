import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openTelemetry } from './open.ts';

type Span = { name: string; traceId: string; spanId: string; parentSpanId?: string; links?: { traceId: string }[] };

const collector = async () => {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
      };
      spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    spans,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
};

test('spans nest, travel in carriers and arrive by OTLP', async () => {
  await using received = await collector();
  {
    await using telemetry = await openTelemetry({ service: 'postern-test', otlp: received.url });
    const carrier = await telemetry.span('outer', {}, () =>
      telemetry.span('inner', {}, async () => telemetry.carrier()),
    );
    assert.match(carrier['traceparent'] ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    await telemetry.span('elsewhere', { parent: carrier }, async () => {});
    await assert.rejects(
      telemetry.span('failing', {}, async () => Promise.reject(new Error('no'))),
      /no/,
    );
  }
  const byName = new Map(received.spans.map((span) => [span.name, span]));
  assert.deepEqual([...byName.keys()].sort(), ['elsewhere', 'failing', 'inner', 'outer']);
  assert.equal(byName.get('inner')?.parentSpanId, byName.get('outer')?.spanId);
  assert.equal(byName.get('elsewhere')?.parentSpanId, byName.get('inner')?.spanId);
  assert.equal(byName.get('elsewhere')?.traceId, byName.get('outer')?.traceId);
});

test('without an endpoint nothing is traced, and metrics are there all the same', async () => {
  await using telemetry = await openTelemetry({ service: 'postern-test' });
  assert.equal(telemetry.tracing, false);
  assert.equal(await telemetry.span('x', {}, async () => telemetry.traceId()), undefined);
  telemetry.metrics.counter('postern_test_total', 'A test')(2);
  assert.match((await telemetry.metrics.exposition()).text, /postern_test_total 2/);
});
