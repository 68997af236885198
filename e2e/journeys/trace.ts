/** One trace from the HR system's event to the last gate that enforces it, and into the record. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { spans as names } from '@postern/telemetry';
import type { Span } from '../world/collector.ts';
import type { World } from '../world/world.ts';
import { eventually, isRefused, joined, left, passes } from './expectations.ts';
import { recorded } from './record.ts';

const newTrace = () => {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, header: { traceparent: `00-${traceId}-${spanId}-01` } };
};

export const traceJourneys = (world: () => World): void => {
  test('one trace leads from the event through every room to each gate that enforces it, and the record names it', async () => {
    const w = world();
    const as = { token: await w.token('nina') };
    await w.send(joined('user:nina', 'finance'), { wait: 'enforced' });
    await passes(w, '/payroll/employees', { as });

    const trace = newTrace();
    const sent = await w.send(left('user:nina'), { wait: 'enforced', headers: trace.header });
    assert.equal(sent.body['enforced'], true, sent.text);
    const sequence = Number(sent.body['sequence']);

    const inTrace = (): Span[] => w.collector.spans.filter(({ traceId }) => traceId === trace.traceId);
    /** The spans of a name below `parent`. */
    const below = (parent: Span | { readonly spanId: string }, name: string, count = 1): Promise<Span[]> =>
      eventually(`${name} below ${parent.spanId} among ${inTrace().map((span) => span.name)}`, () => {
        const found = inTrace().filter((span) => span.name === name && span.parentSpanId === parent.spanId);
        return found.length >= count ? found : undefined;
      });
    const one = async (parent: Span | { readonly spanId: string }, name: string): Promise<Span> => {
      const [found] = await below(parent, name);
      assert.ok(found);
      return found;
    };

    const request = await one({ spanId: trace.spanId }, names.request);
    const handled = await one(request, names.handle);
    const command = await one(handled, names.command);
    const append = await one(command, names.append);
    // What the fact's message carries is the append itself: everything that follows the log goes on from there.
    const projection = await one(append, names.project);
    await one(projection, names.write);
    const ingest = await one(append, names.ingest);
    await one(ingest, names.store);
    const invalidations = await below(append, names.invalidate, w.gates.length);
    assert.equal(invalidations.length, w.gates.length, 'each gate enforces it once');
    if (w.kind === 'distributed')
      assert.deepEqual(
        [request, handled, append, projection, ingest].map(({ service }) => service),
        ['postern-proxy', 'postern-grants', 'postern-grants', 'postern-authorizer', 'postern-audit'],
      );

    const fact = await recorded(w, `facts?trace=${trace.traceId}&type=postern.principal.left.v1`);
    assert.equal(fact['subject'], 'user:nina');
    assert.match(String(fact.body['traceparent']), new RegExp(`^00-${trace.traceId}-${command.spanId}-`));
    const reached = await recorded(w, `facts?trace=${trace.traceId}&type=postern.enforcement.reached.v1`);
    assert.ok(Number((reached.body['data'] as Record<string, unknown>)['reached']) >= sequence);

    const later = newTrace();
    const refusal = await isRefused(w, '/payroll/employees', { as, headers: later.header });
    const decision = await recorded(w, `decisions?id=${refusal.decision}`);
    assert.equal(decision['trace'], later.traceId);
    assert.ok(Number(decision['sequence']) >= sequence, 'the refusal rests on the fact');
  });

  test('requests that are decided together keep their own traces on the way to the API', async () => {
    const w = world();
    await w.send(joined('user:olga', 'finance'), { wait: 'enforced' });
    const as = { token: await w.token('olga') };
    // Different endpoints, nothing cached yet: the questions go out in one batch.
    const asked = Array.from({ length: 12 }, (_, index) => ({
      ...newTrace(),
      path:
        index % 3 === 0
          ? '/payroll/employees'
          : index % 3 === 1
            ? `/payroll/employees/${index}`
            : `/payroll/payslips/${index}`,
    }));
    const answers = await Promise.all(asked.map(({ path, header }) => w.call(path, { as, headers: header })));
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 503) continue;
      assert.equal(answer.status, 200, answer.text);
      const reached = w.upstream.reached.find(({ decision }) => decision === answer.decision);
      assert.equal(reached?.traceparent?.slice(3, 35), asked[index]?.traceId);
    }
  });
};
