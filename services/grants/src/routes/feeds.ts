/** /feeds: what waits, and what lies in quarantine: shown, put right, replayed, given up. */
import { type Actor, isProblem, Problem, type Quarantined } from '@postern/schemas';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { scheduledSource } from '../feeds/enactor.ts';
import type { Intake, Known } from '../feeds/intake.ts';
import { digestOf, type Kept, type Quarantine } from '../feeds/quarantine.ts';
import type { Part } from '../inbound/cloud-event.ts';
import { eventDigest, type Received } from '../inbound/receive.ts';
import { keptType, type Receiver } from '../signals/receiver.ts';
import { actorOf, answerChange, idempotency } from './answer.ts';
import type { RouteDeps } from './deps.ts';

const reason = z.string().trim().min(1).max(2000);
const Why = z.strictObject({ reason: reason.optional() });
const SayWhy = z.strictObject({ reason });
/** A CloudEvent, or for a message that a rule reads, whatever the rule reads. */
const Fix = z.strictObject({ content: z.unknown(), reason });

type Named = { Params: { id: string } };
export type FeedRouteDeps = RouteDeps & {
  readonly intake: Intake;
  readonly quarantine: Quarantine;
  readonly receiver: Receiver;
};

export const feedRoutes = (app: FastifyInstance, deps: FeedRouteDeps): void => {
  const { commands, state, intake, quarantine, receiver, ...answering } = deps;

  app.get('/feeds/scheduled', async () => ({
    sequence: state.organisation.sequence,
    items: [...state.organisation.inbox.scheduled.values()].sort((a, b) => Date.parse(a.due) - Date.parse(b.due)),
    // Memberships and relations of who is not here.
    waitingEdges: [...state.organisation.groups.allWaiting(), ...state.organisation.objects.allWaiting()],
    // Said of somebody who has not joined; it counts as soon as they do.
    waiting: [...state.organisation.claims.waiting()].map(([principal, { named }]) => ({
      principal,
      attributes: Object.fromEntries(Object.entries(named).map(([name, { value }]) => [name, value])),
    })),
  }));

  app.delete<Named>('/feeds/scheduled/:id', async (request, reply) => {
    const { id } = request.params;
    const done = await commands({
      command: { kind: 'cancel-scheduled', scheduled: id, ...SayWhy.parse(request.body ?? {}) },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { id } });
  });

  app.get('/feeds/quarantine', async () => ({
    sequence: state.organisation.sequence,
    items: [...state.organisation.inbox.quarantined.values()],
  }));

  const itemOf = (id: string): Quarantined => {
    const found = state.organisation.inbox.quarantined.get(id);
    if (found !== undefined) return found;
    throw new Problem('grants/unknown-quarantined', {
      detail: `nothing in quarantine has the id ${id}`,
      fix: 'List what is there with postern feeds quarantine list.',
    });
  };

  app.get<Named>('/feeds/quarantine/:id', async (request) => {
    const item = itemOf(request.params.id);
    const { bytes, headers, rule } = await quarantine.kept(item);
    return { ...item, headers, ...(rule !== undefined && { rule }), ...shown(bytes) };
  });

  const release = async (item: Quarantined, actor: Actor, received: readonly Received[], why: Fixed) => {
    const done = await commands({
      command: { kind: 'release-quarantined', quarantined: item.id, outcome: 'applied', ...why },
      actor,
    });
    return { done, body: { id: item.id, events: received.map(summary) } };
  };

  /** A security event, verified when it came. */
  const signal = async (
    item: Quarantined,
    bytes: Uint8Array,
    actor: Actor,
    why: Fixed,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    const event: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const done = await stillRefused(item, () => receiver.apply(event, actor));
    await release(item, actor, [], why);
    return answerChange(request, reply, answering, { status: 200, done, body: { id: item.id } });
  };

  app.post<Named>('/feeds/quarantine/:id/replay', async (request, reply) => {
    const item = itemOf(request.params.id);
    const why = Why.parse(request.body ?? {});
    const kept = await quarantine.kept(item);
    const origin = { from: item.from, position: item.position, actor: actorOf(request) };
    if (kept.headers['content-type'] === keptType) return signal(item, kept.bytes, origin.actor, why, request, reply);
    const received = await stillRefused(item, () =>
      allOf(intake, kept, (part) => intake.carryOut(part, origin, kept.rule, knownAs(item))),
    );
    return answerChange(request, reply, answering, {
      status: 200,
      ...(await release(item, origin.actor, received, why)),
    });
  });

  app.post<Named>('/feeds/quarantine/:id/fix', async (request, reply) => {
    const item = itemOf(request.params.id);
    const { content, reason } = Fix.parse(request.body);
    const original = await quarantine.kept(item).catch((error) => {
      if (isProblem(error, 'grants/quarantine-incomplete')) return undefined;
      throw error;
    });
    const bytes = new TextEncoder().encode(JSON.stringify(content));
    if (original?.headers['content-type'] === keptType)
      return signal(item, bytes, actorOf(request), { reason, fixed: digestOf(bytes) }, request, reply);
    const fixed = { bytes, headers: { 'content-type': 'application/cloudevents+json' }, rule: original?.rule };
    const origin = { from: item.from, position: item.position, actor: actorOf(request) };
    // The sender may send it again as it was: that is then the event that was put right here.
    const known = { ...knownAs(item), content: original && firstEvent(intake, original) };
    const received = await stillRefused(item, () =>
      allOf(intake, fixed, (part) => intake.carryOut(part, origin, fixed.rule, known)),
    );
    const why = { reason, fixed: digestOf(bytes) };
    return answerChange(request, reply, answering, {
      status: 200,
      ...(await release(item, origin.actor, received, why)),
    });
  });

  app.post<Named>('/feeds/quarantine/:id/dismiss', async (request, reply) => {
    const { id } = itemOf(request.params.id);
    const done = await commands({
      command: { kind: 'release-quarantined', quarantined: id, outcome: 'dismissed', ...SayWhy.parse(request.body) },
      actor: actorOf(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { id } });
  });
};

const knownAs = ({ from, id }: Quarantined): Known =>
  from === scheduledSource ? { under: { source: `${scheduledSource}/quarantined`, id } } : {};

type Fixed = { readonly reason?: string | undefined; readonly fixed?: string };

const allOf = async (
  intake: Intake,
  kept: Kept,
  carryOut: (part: Part) => Promise<readonly Received[]>,
): Promise<Received[]> => {
  const received: Received[] = [];
  for (const part of intake.read(kept)) received.push(...(await carryOut(part)));
  return received;
};

/** The refusal says that it stays where it is. */
const stillRefused = async <Result>({ id }: Quarantined, work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (!isProblem(error)) throw error;
    throw new Problem(error.code, {
      ...(error.detail !== undefined && { detail: error.detail }),
      ...(error.fix !== undefined && { fix: error.fix }),
      members: { ...error.members, quarantined: id },
      cause: error,
    });
  }
};

const firstEvent = (intake: Intake, kept: Kept) => {
  if (kept.rule !== undefined) return undefined;
  try {
    const [part] = intake.read(kept);
    if (part?.outcome !== 'read') return undefined;
    const { source, id } = part.event;
    return { source, id, digest: eventDigest(part.event) };
  } catch (error) {
    if (isProblem(error, 'grants/bad-event')) return undefined;
    throw error;
  }
};

export const summary = ({ event, done, ignored }: Received) => ({
  id: event.id,
  source: event.source,
  sequence: done.sequence,
  facts: done.facts.length,
  repeated: done.repeated,
  ...effectOf(done),
  ...(ignored.length > 0 && { ignored }),
});

/** What became of it, where that is not that it took effect. */
const effectOf = ({ facts }: Received['done']) => {
  const scheduled = facts.find((fact) => fact.type === 'postern.event.scheduled.v1');
  if (scheduled !== undefined) return { effect: 'scheduled', due: scheduled.data.due, scheduled: scheduled.id };
  const none = ['postern.principal.claimed.v1', 'postern.event.noted.v1'];
  return facts.length > 0 && facts.every(({ type }) => none.includes(type)) ? { effect: 'none' } : {};
};

/** JSON as JSON, other text as text, the rest in base64. */
const shown = (bytes: Uint8Array): { content?: unknown; text?: string; base64?: string } => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    try {
      return { content: JSON.parse(text) };
    } catch {
      return { text };
    }
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
};
