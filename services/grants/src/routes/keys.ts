/** /keys: a key is 256 random bits, shown once; the log holds its SHA-256. */
import { createHash, randomBytes } from 'node:crypto';
import { CredentialId, Duration, durationMs, PrincipalId, Problem, RoleName } from '@postern/schemas';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { UsageRecord } from '../reports/record.ts';
import { usesOf } from '../reports/use.ts';
import { actorOf, answerChange, idempotency } from './answer.ts';
import type { RouteDeps } from './deps.ts';

const Body = z.strictObject({
  owner: PrincipalId,
  roles: z
    .array(RoleName)
    .min(1, 'name the roles that the key may use: a key is never as wide as its owner by default'),
  until: z.iso.datetime({ offset: true }).optional(),
  reason: z.string().trim().min(1, 'say why').max(2000),
});
const Rotation = z.strictObject({
  /** How long both keys work. */
  overlap: Duration.default('24h'),
  until: z.iso.datetime({ offset: true }).optional(),
  reason: z.string().trim().min(1, 'say why').max(2000),
});
const Why = z.strictObject({ reason: z.string().trim().min(1).max(2000).optional() });

export const newSecret = (): string => `psk_${randomBytes(32).toString('base64url')}`;
export const newCredential = (): CredentialId => CredentialId.parse(`credential:${randomBytes(9).toString('hex')}`);
export const isKey = (text: string): boolean => /^psk_[A-Za-z0-9_-]{43}$/.test(text);
/** What may be stored of a secret. */
export const keyDigest = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

export const keyRoutes = (
  app: FastifyInstance,
  { commands, state, record, ...answering }: RouteDeps & { readonly record: UsageRecord },
): void => {
  app.post('/keys', async (request, reply) => {
    const body = Body.parse(request.body);
    const secret = newSecret();
    const credential = newCredential();
    refuseRepetition(request);
    const done = await commands({
      command: { kind: 'issue-key', credential, digest: keyDigest(secret), ...body },
      actor: actorOf(request),
    });
    return answerChange(request, reply.header('cache-control', 'no-store'), answering, {
      status: 201,
      done,
      body: {
        id: credential,
        key: secret,
        owner: body.owner,
        roles: body.roles,
        ...(body.until !== undefined && { until: body.until }),
      },
    });
  });

  app.post<{ Params: { credential: string } }>('/keys/:credential/rotate', async (request, reply) => {
    const credential = CredentialId.parse(request.params.credential);
    const { overlap, until, reason } = Rotation.parse(request.body);
    refuseRepetition(request);
    const secret = newSecret();
    const successor = newCredential();
    const digest = keyDigest(secret);
    const done = await commands({
      command: { kind: 'rotate-key', credential, successor, digest, overlapMs: durationMs(overlap), until, reason },
      actor: actorOf(request),
    });
    const live = state.organisation.credentials.get(successor);
    return answerChange(request, reply.header('cache-control', 'no-store'), answering, {
      status: 201,
      done,
      body: {
        id: successor,
        key: secret,
        owner: live?.owner,
        roles: state.organisation.grantsOf(successor).map(({ role }) => role),
        ...(live?.until !== undefined && { until: live.until }),
        replaces: credential,
        bothUntil: state.organisation.credentials.get(credential)?.until,
      },
    });
  });

  app.delete<{ Params: { credential: string } }>('/keys/:credential', async (request, reply) => {
    const credential = CredentialId.parse(request.params.credential);
    const done = await commands({
      command: { kind: 'revoke-key', credential, ...Why.parse(request.body ?? {}) },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { id: credential } });
  });

  app.get('/keys', async (request) => {
    const { owner, use } = z
      .looseObject({ owner: PrincipalId.optional(), use: z.enum(['last']).optional() })
      .parse(request.query);
    const { organisation } = state;
    const lastUsed = use === undefined ? undefined : usesOf(organisation, await record.lastUses(request, {}));
    const live = owner === undefined ? [...organisation.credentials.values()] : organisation.credentialsOf(owner);
    return {
      sequence: organisation.sequence,
      items: live.map(({ id, owner, until, issued, by, successor }) => ({
        id,
        owner,
        roles: organisation.grantsOf(id).map(({ role }) => role),
        issued,
        by,
        ...(until !== undefined && { until }),
        ...(successor !== undefined && { successor }),
        ...(lastUsed && { lastUsed: lastUsed.ofKey(id) ?? 'never' }),
      })),
    };
  });
};

const refuseRepetition = (request: FastifyRequest): void => {
  if (idempotency(request).inbound)
    throw new Problem('grants/bad-request', {
      detail: 'a key cannot be shown twice, so it cannot be issued under an Idempotency-Key',
      fix: 'Leave the header out; revoke the key if its answer was lost.',
    });
};
