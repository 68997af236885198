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
      const { results, done } = await eachOf(parts, (some) =>
        intake.takeAll(
          some.map((part) => ({ part, origin })),
          { recall: true },
        ),
      );
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

/** So many are carried out together; after a failure of ours those of one such part cannot be told apart. */
const togetherMax = 1_000;

/** Every part has its answer. After a failure of ours the rest is not tried: the log is away, and its sender sends the batch again. */
const eachOf = async (parts: readonly Part[], take: (some: readonly Part[]) => Promise<readonly Taken[]>) => {
  const results: Result[] = [];
  let done: Done | undefined;
  let failure: Problem | undefined;
  for (let from = 0; from < parts.length; from += togetherMax) {
    const some = parts.slice(from, from + togetherMax);
    let taken: readonly Taken[] = [];
    if (failure === undefined)
      try {
        taken = await take(some);
      } catch (error) {
        if (!isProblem(error)) throw error;
        failure = error;
        results.push(...some.map((part) => ({ ...nameOf(part), problem: toProblemDocument(error) })));
        continue;
      }
    for (const [at, part] of some.entries()) {
      const each = taken[at];
      if (each?.outcome !== 'taken') {
        const problem = each === undefined ? notTried() : quarantined(each);
        results.push({ ...nameOf(part), problem: toProblemDocument(problem) });
        continue;
      }
      done = each.received.at(-1)?.done ?? done;
      const made = each.received.map(summary);
      results.push(made.length === 1 ? { ...made[0], ...nameOf(part) } : { ...nameOf(part), events: made });
    }
  }
  return { results, done };
};

const nameOf = (part: Part) => (part.outcome === 'read' ? { id: part.event.id, source: part.event.source } : {});
const notTried = () => new Problem('grants/not-tried', { fix: 'Send it again: what was taken is known.' });

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
