/** /events: CloudEvents in structured, binary and batch mode. 202 once the facts are durable. */
import { isProblem, Problem, toProblemDocument } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { readEvents } from '../inbound/cloud-event.ts';
import { receive } from '../inbound/receive.ts';
import { actorOf, answerChange } from './answer.ts';
import type { RouteDeps } from './deps.ts';

export const eventRoutes = (app: FastifyInstance, { commands, clock, state, ...answering }: RouteDeps): void => {
  void app.register(async (events) => {
    // The bytes are read by the CloudEvents library whatever their type, because in binary mode the body is the event's own data.
    events.removeAllContentTypeParsers();
    events.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    events.post('/events', async (request, reply) => {
      const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
      const incoming = readEvents(request.headers, body);
      const [first] = incoming;
      if (first === undefined) throw new Problem('grants/bad-event', { detail: 'the batch holds no event' });
      const now = () => new Date(clock.now()).toISOString();
      if (incoming.length === 1) {
        const { done, ignored } = await receive(first, commands, actorOf(request), now());
        return answerChange(request, reply, answering, {
          status: 202,
          done,
          body: {
            id: first.id,
            source: first.source,
            facts: done.facts.length,
            repeated: done.repeated,
            ...(ignored.length > 0 && { ignored }),
          },
        });
      }
      // A batch is a transport, not a transaction: each event stands or falls alone, and the answer says which.
      const results: Record<string, unknown>[] = [];
      let last = { sequence: state.organisation.sequence, facts: [], repeated: false } as Parameters<
        typeof answerChange
      >[3]['done'];
      for (const event of incoming) {
        try {
          const { done, ignored } = await receive(event, commands, actorOf(request), now());
          last = done;
          results.push({
            id: event.id,
            source: event.source,
            sequence: done.sequence,
            facts: done.facts.length,
            repeated: done.repeated,
            ...(ignored.length > 0 && { ignored }),
          });
        } catch (error) {
          if (!isProblem(error) || error.status >= 500) throw error;
          results.push({ id: event.id, source: event.source, problem: toProblemDocument(error) });
        }
      }
      const refused = results.filter((result) => 'problem' in result).length;
      return answerChange(request, reply, answering, {
        status: refused === 0 ? 202 : 207,
        done: last,
        body: { accepted: results.length - refused, refused, results },
      });
    });
  });
};
