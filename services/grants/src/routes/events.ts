/**
 * /events: CloudEvents in structured, binary and batch mode; /events/RULE: any JSON that a rule of feeds.yaml reads. 202 once the facts
 * are durable. What cannot be applied is answered with its problem and kept in quarantine.
 */
import { isProblem, Problem, toProblemDocument } from '@postern/schemas';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Done } from '../commands.ts';
import type { Intake, Taken } from '../feeds/intake.ts';
import type { Part } from '../inbound/cloud-event.ts';
import { actorOf, answerChange } from './answer.ts';
import type { RouteDeps } from './deps.ts';
import { summary } from './feeds.ts';

export type EventRouteDeps = RouteDeps & { readonly intake: Intake };

export const eventRoutes = (app: FastifyInstance, { state, intake, ...answering }: EventRouteDeps): void => {
  void app.register(async (events) => {
    // The bytes are read here whatever their type, because in binary mode the body is the event's own data.
    events.removeAllContentTypeParsers();
    events.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    const take = async (request: FastifyRequest, reply: FastifyReply, rule?: string): Promise<FastifyReply> => {
      const bytes = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
      const parts = intake.read({ headers: request.headers, bytes, rule });
      const [first] = parts;
      if (first === undefined) throw new Problem('grants/bad-event', { detail: 'the batch holds no event' });
      const origin = { from: 'http', actor: actorOf(request) };
      const nothing: Done = { sequence: state.organisation.sequence, facts: [], repeated: false };
      if (parts.length === 1 && !isBatch(request)) {
        const taken = await intake.take(first, origin, rule);
        if (taken.outcome === 'quarantined') throw quarantined(taken);
        const { received } = taken;
        const body = received.length === 1 ? received.map(summary)[0] : { events: received.map(summary) };
        const done = received.at(-1)?.done ?? nothing;
        return answerChange(request, reply, answering, { status: 202, done, body: body ?? {} });
      }
      // A batch is a transport, not a transaction: each event stands or falls alone, and the answer says which.
      const { results, done } = await eachOf(parts, (part) => intake.take(part, origin));
      const refused = results.filter((result) => 'problem' in result).length;
      return answerChange(request, reply, answering, {
        status: refused === 0 ? 202 : 207,
        done: done ?? nothing,
        body: { accepted: results.length - refused, refused, results },
      });
    };

    events.post('/events', (request, reply) => take(request, reply));
    events.post<{ Params: { rule: string } }>('/events/:rule', (request, reply) =>
      take(request, reply, request.params.rule),
    );
  });
};

type Result = Readonly<Record<string, unknown>>;

/** Every part has its answer. After a failure of ours the rest is not tried: the log is away, and its sender sends the batch again. */
const eachOf = async (parts: readonly Part[], take: (part: Part) => Promise<Taken>) => {
  const results: Result[] = [];
  let done: Done | undefined;
  let failed = false;
  for (const part of parts) {
    const name = part.outcome === 'read' ? { id: part.event.id, source: part.event.source } : {};
    if (failed) {
      const problem = new Problem('grants/not-tried', { fix: 'Send it again: what was taken is known.' });
      results.push({ ...name, problem: toProblemDocument(problem) });
      continue;
    }
    try {
      const taken = await take(part);
      if (taken.outcome === 'quarantined') results.push({ ...name, problem: toProblemDocument(quarantined(taken)) });
      else {
        done = taken.received.at(-1)?.done ?? done;
        const made = taken.received.map(summary);
        results.push(made.length === 1 ? { ...made[0], ...name } : { ...name, events: made });
      }
    } catch (error) {
      if (!isProblem(error)) throw error;
      failed = true;
      results.push({ ...name, problem: toProblemDocument(error) });
    }
  }
  return { results, done };
};

const isBatch = ({ headers }: FastifyRequest): boolean =>
  headers['content-type']?.startsWith('application/cloudevents-batch+json') ?? false;

/** The problem, and where to find the event again. */
const quarantined = ({ problem, id }: Extract<Taken, { outcome: 'quarantined' }>): Problem =>
  new Problem(problem.code, {
    ...(problem.detail !== undefined && { detail: problem.detail }),
    ...(problem.fix !== undefined && { fix: problem.fix }),
    members: { ...problem.members, quarantined: id },
    cause: problem,
  });
