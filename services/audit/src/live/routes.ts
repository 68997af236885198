/** `decisions/live` and `pulse`: what goes on at the gates now, for whoever watches. */
import { Readable } from 'node:stream';
import { type AuditReader, cursorBehind } from '@postern/audit-store';
import { type Clock, describeZod } from '@postern/runtime';
import { Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { handOut } from '../readings/hooks.ts';
import { growth } from './growth.ts';
import { pulse } from './pulse.ts';
import { type LiveQuery, liveDecisions } from './stream.ts';

const name = z.string().min(1).max(1_100);
const Filters = z.strictObject({
  outcome: z.enum(['allow', 'deny', 'unavailable']).optional(),
  subject: name.optional(),
  service: name.optional(),
  endpoint: name.optional(),
});
const Window = z.strictObject({
  /** How many minutes back, a day at most. */
  minutes: z
    .string()
    .regex(/^\d{1,4}$/, 'write a whole number')
    .transform(Number)
    .pipe(z.number().min(1).max(1_440))
    .default(60),
});

/** Each stream holds a connection and reads for itself. */
const streamsMax = 200;

export type LiveRoutesDeps = {
  readonly reader: Pick<AuditReader, 'find' | 'checkpoint'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

export const liveRoutes = (app: FastifyInstance, { reader, clock, signal }: LiveRoutesDeps): void => {
  const grows = growth(reader);
  const counts = pulse(reader, clock.now);
  let streams = 0;

  app.get('/decisions/live', async (request, reply) => {
    const query = parse(Filters, request.query);
    const last = request.headers['last-event-id'];
    if (streams >= streamsMax)
      throw new Problem('audit/too-many-followers', {
        detail: `${streamsMax} others follow them already`,
        fix: 'Close a console that nobody looks at, or search the decisions in pages.',
      });
    const wanted = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as LiveQuery;
    const deps = {
      reader,
      growth: grows,
      elapsed: clock.elapsed,
      told: (rows: number) => handOut(request, rows),
      signal,
    };
    const stream = Readable.from(
      liveDecisions(deps, wanted, typeof last === 'string' && last !== '' ? last : undefined),
      {
        highWaterMark: 4,
      },
    );
    streams++;
    stream.once('close', () => {
      streams--;
    });
    return reply
      .type('text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream);
  });

  app.get('/pulse', async (request, reply) => {
    const { minutes } = parse(Window, request.query);
    const counted = await counts.counted(minutes * 60_000);
    const head = async (log: 'facts' | 'decisions') => {
      const sealed = await reader.checkpoint(log);
      const behind = cursorBehind(sealed?.size ?? 0);
      const { rows, size } = await reader.find(log, { order: 'oldest', cursor: behind, limit: 1 });
      // Since when the oldest entry waits for a signature.
      return { size, sealed: sealed?.size ?? 0, at: sealed?.at ?? null, waitsSince: rows[0]?.at ?? null };
    };
    handOut(request, counted.causes.length);
    reply.header('cache-control', 'no-store');
    return {
      now: new Date(clock.now()).toISOString(),
      ...counted,
      logs: { facts: await head('facts'), decisions: await head('decisions') },
    };
  });
};

const parse = <Shape extends z.ZodType>(shape: Shape, asked: unknown): z.infer<Shape> => {
  const read = shape.safeParse(asked);
  if (!read.success) throw new Problem('audit/bad-query', { detail: describeZod(read.error) });
  return read.data;
};
