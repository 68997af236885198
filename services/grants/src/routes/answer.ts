/** How every change is answered: the sequence it has, and with `?wait=enforced` the word that no proxy allows otherwise any more. */

import { createHash } from 'node:crypto';
import { caller } from '@postern/runtime';
import { type Actor, type Fact, Problem } from '@postern/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Done, Order } from '../commands.ts';
import type { Enforcer } from '../enforcer.ts';

export const Wait = z.looseObject({
  wait: z.enum(['enforced'], { error: 'the only thing to wait for is "enforced"' }).optional(),
});

export type Answering = { readonly enforcer: Enforcer };

/** `{ sequence, enforced, … }`; with `?wait=enforced` it answers once enforced, or `grants/not-enforced-yet`. */
export const answerChange = async (
  request: FastifyRequest,
  reply: FastifyReply,
  { enforcer }: Answering,
  {
    status,
    done,
    body,
  }: { readonly status: number; readonly done: Done; readonly body: Readonly<Record<string, unknown>> },
): Promise<FastifyReply> => {
  const waits = Wait.parse(request.query).wait === 'enforced';
  if (!waits) return reply.code(status).send({ ...body, sequence: done.sequence, enforced: false });
  const enforced = await enforcer.enforced(done.sequence);
  if (enforced.outcome === 'not-yet')
    throw new Problem('grants/not-enforced-yet', {
      detail: `the change has sequence ${done.sequence}; not confirmed by ${enforced.waitingFor.join(', ')}`,
      fix: 'The change stands and will be enforced; ask again with the same event id or Idempotency-Key to wait longer.',
      members: { ...body, sequence: done.sequence, enforced: false },
    });
  return reply.code(status).send({
    ...body,
    sequence: done.sequence,
    enforced: true,
    proxies: enforced.proxies,
    ...(enforced.lapsed.length > 0 && { lapsed: enforced.lapsed }),
  });
};

/** Who acts, as the gate asserts it. */
export const actorOf = (request: FastifyRequest): Actor => {
  const { sub, credential } = caller(request);
  return {
    authid: sub,
    authtype: credential !== undefined ? 'api_key' : sub.startsWith('workload:') ? 'service_account' : 'user',
  };
};

/** `Idempotency-Key`, as an inbound id of this caller: the same key with the same request answers as the first time. */
export const idempotency = (request: FastifyRequest): Pick<Order, 'inbound'> => {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return {};
  if (typeof key !== 'string' || key.length === 0 || key.length > 200)
    throw new Problem('grants/bad-request', { detail: 'Idempotency-Key has 1 to 200 characters' });
  const digest = createHash('sha256')
    .update(JSON.stringify([request.method, request.url.split('?')[0], request.body ?? null]))
    .digest('base64url');
  return { inbound: { source: `/postern/idempotency/${caller(request).sub}`, id: key, digest } };
};

/** The first fact of a type among those that a command wrote. */
export const factOf = <Type extends Fact['type']>(done: Done, type: Type): Extract<Fact, { type: Type }> | undefined =>
  done.facts.find((fact): fact is Extract<Fact, { type: Type }> => fact.type === type);
