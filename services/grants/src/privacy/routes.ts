/** /privacy: what is held of a person, and erasing it. /holds: what has to stay. */
import type { ProfileStore, SealedStore } from '@postern/profiles';
import { HoldId, HoldScope, holdsErasure, isFromTo, PrincipalId } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { actorOf, answerChange, factOf, idempotency } from '../routes/answer.ts';
import type { RouteDeps } from '../routes/deps.ts';
import { type Erasing, profileOf } from './erasing.ts';

const why = {
  reason: z.string().trim().min(1, 'say why').max(2000),
  ticket: z.string().min(1).max(200).optional(),
};
const Why = z.strictObject(why);
const Place = z.strictObject({ on: HoldScope.refine(isFromTo, 'from comes before until').default({}), ...why });

export type PrivacyDeps = RouteDeps & {
  readonly profiles: ProfileStore;
  readonly sealed: SealedStore;
  readonly erasing: Erasing;
};

export const privacyRoutes = (
  app: FastifyInstance,
  { commands, state, profiles, sealed, erasing, ...answering }: PrivacyDeps,
): void => {
  app.get<{ Params: { subject: string } }>('/privacy/:subject', async (request) => {
    const subject = PrincipalId.parse(request.params.subject);
    const { organisation } = state;
    const principal = organisation.principals.get(subject);
    const profile = await profileOf(profiles, subject);
    const shown = (texts: Awaited<ReturnType<SealedStore['of']>>) =>
      texts.map(({ sequence, member, text, author, commitment }) => ({ sequence, member, text, author, commitment }));
    return {
      subject,
      sequence: organisation.sequence,
      state: principal?.state ?? 'unknown',
      attributes: principal?.attributes ?? {},
      groups: [...organisation.groups.around(subject)],
      grants: organisation.grantsOf(subject),
      keys: organisation.credentialsOf(subject).map(({ digest: _, ...key }) => key),
      profile: profile === undefined ? null : JSON.parse(profile.document),
      /** What others wrote about them, and what they wrote about others: the first is erased with them. */
      texts: shown(await sealed.of({ subject })),
      written: shown((await sealed.of({ author: subject })).filter((text) => text.subject !== subject)),
      erased: organisation.privacy.erased.get(subject) ?? null,
      holds: [...organisation.privacy.holds.values()].filter((hold) => holdsErasure(hold, subject)),
    };
  });

  app.post<{ Params: { subject: string } }>('/privacy/:subject/erase', async (request, reply) => {
    const subject = PrincipalId.parse(request.params.subject);
    const body = Why.parse(request.body ?? {});
    const texts: Record<string, number> = {};
    for (const { member } of await sealed.of({ subject })) texts[member] = (texts[member] ?? 0) + 1;
    const profile = (await profileOf(profiles, subject)) !== undefined;
    const done = await commands({
      command: { kind: 'erase-subject', subject, texts, profile, ...body },
      actor: actorOf(request),
      ...idempotency(request),
    });
    const erased = factOf(done, 'postern.subject.erased.v1');
    if (erased !== undefined) await erasing.erase(subject, done.sequence);
    const { texts: counts, profile: had } = erased?.data ?? { texts, profile };
    return answerChange(request, reply, answering, {
      status: 200,
      done,
      body: { subject, texts: counts, profile: had },
    });
  });

  app.get('/holds', async () => ({
    sequence: state.organisation.sequence,
    items: [...state.organisation.privacy.holds.values()],
  }));

  app.post('/holds', async (request, reply) => {
    const body = Place.parse(request.body ?? {});
    const done = await commands({
      command: { kind: 'place-hold', ...body },
      actor: actorOf(request),
      ...idempotency(request),
    });
    const placed = factOf(done, 'postern.hold.placed.v1')?.data;
    return answerChange(request, reply, answering, { status: 201, done, body: { id: placed?.hold, on: placed?.on } });
  });

  app.post<{ Params: { hold: string } }>('/holds/:hold/lift', async (request, reply) => {
    const hold = HoldId.parse(request.params.hold);
    const done = await commands({
      command: { kind: 'lift-hold', hold, ...Why.parse(request.body ?? {}) },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { id: hold } });
  });
};
