/** `GET audit/as-of`: the past, asked. What is answered follows from what is given: a subject, an endpoint, a call, two moments. */
import type { AuditReader } from '@postern/audit-store';
import { type Clock, describeZod } from '@postern/runtime';
import { Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { handOut } from '../readings/hooks.ts';
import { changesBetween } from './changes.ts';
import { knowledges, type Moment } from './moment.ts';
import type { Past } from './past.ts';

export type AsOfDeps = {
  readonly reader: Pick<AuditReader, 'checkpoint'>;
  readonly past: Past;
  readonly clock: Clock;
};

const text = z.string().min(1).max(1_100);
export const AsOfQuery = z.strictObject({
  /** One moment: an instant or a sequence; the end of the log where none is given. */
  at: z.iso.datetime({ offset: true, error: 'write an RFC 3339 instant' }).optional(),
  sequence: z
    .string()
    .regex(/^\d{1,15}$/, 'write a sequence')
    .optional(),
  /** Two moments: each an instant or a sequence. */
  from: text.optional(),
  to: text.optional(),
  known: z.enum(knowledges).default('then'),
  /** What the model was: schema, services and roles. */
  model: z.enum(['whole']).optional(),
  subject: text.optional(),
  endpoint: text.optional(),
  method: text.optional(),
  path: text.optional(),
  ip: text.optional(),
  country: text.optional(),
  acr: text.optional(),
  amr: text.optional(),
  scopes: z.string().max(4_000).optional(),
  operation: text.optional(),
  /** The time of day that conditions are judged at, where it is not that of the moment. */
  time: z.iso.datetime({ offset: true, error: 'write an RFC 3339 instant' }).optional(),
});
export type AsOfQuery = z.infer<typeof AsOfQuery>;

const bad = (detail: string): never => {
  throw new Problem('audit/bad-query', { detail });
};

export const asOfRoute = (app: FastifyInstance, deps: AsOfDeps): void => {
  app.get('/as-of', async (request, reply) => {
    const asked = AsOfQuery.safeParse(request.query);
    if (!asked.success) throw new Problem('audit/bad-query', { detail: describeZod(asked.error) });
    reply.header('cache-control', 'no-store');
    const answer = await answerAsOf(deps, asked.data);
    // What is listed, whatever the question calls it.
    for (const value of Object.values(answer)) if (Array.isArray(value)) handOut(request, value.length);
    return answer;
  });
};

/** What every answer begins with: what was asked, of how large a log, under which signed head. */
export const answerAsOf = async ({ reader, past, clock }: AsOfDeps, query: AsOfQuery) => {
  const checkpoint = await reader.checkpoint('facts');
  if (checkpoint === undefined)
    throw new Problem('audit/no-such-record', { detail: 'the facts have not been sealed yet' });
  const { size, note } = checkpoint;
  const { at, sequence, from, to, known, model, subject, endpoint, method, path, time, ...context } = query;
  const momentAt = (moment: string | undefined) => past.moment(size, { text: moment, known, nowMs: clock.now() });
  const about = (asked: string, more: object) => ({ asked, query, size, checkpoint: note, ...more });

  if (from !== undefined || to !== undefined) {
    if (from === undefined) return bad('from: where does the time that is asked about begin?');
    const [first, last] = [await momentAt(from), await momentAt(to)];
    const changes = await changesBetween(past, [first, last], { subject, endpoint });
    return about('what changed', { from: shown(first), to: shown(last), ...changes });
  }
  if (at !== undefined && sequence !== undefined) return bad('at and sequence name two moments: give one');
  const moment = await momentAt(at ?? sequence);
  if (model !== undefined) return about('what was the model', { moment: shown(moment), ...(await past.model(moment)) });
  if (method !== undefined || path !== undefined) {
    if (subject === undefined || method === undefined || path === undefined)
      return bad('a call is a subject, a method and a path');
    const can = await past.can({ subject, method, path, ...(time && { at: time }), ...context }, moment);
    return about('could the subject make this call', { moment: shown(moment), ...can });
  }
  if (subject !== undefined) {
    const rights = await past.what(subject, moment);
    const wanted = endpoint === undefined ? rights : rights.filter((right) => right.endpoint === endpoint);
    return about('what could the subject call', { moment: shown(moment), rights: wanted });
  }
  if (endpoint === undefined) return bad('name a subject, an endpoint, a call, the model, or two moments');
  return about('who could call the endpoint', { moment: shown(moment), ...(await past.who(endpoint, moment)) });
};

const shown = ({ sequence, at, known }: Moment) => ({ sequence, at, known });
