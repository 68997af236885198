/** `POST /pdp/decide`: the decision point for proxies in other processes, on the internal listener. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type DecisionPoint, Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { decidePath, fromWireQuestion, toWireAnswer, WireQuestions } from './wire.ts';

export const decideRoute = (app: FastifyInstance, { decide }: DecisionPoint, token: string | undefined): void => {
  const expected = token === undefined ? undefined : digest(`Bearer ${token}`);
  app.post(decidePath, async (request) => {
    if (expected !== undefined && !timingSafeEqual(expected, digest(request.headers.authorization ?? '')))
      throw new Problem('runtime/bad-assertion', {
        detail: 'the request does not carry the token that proxies share with the authorizer',
      });
    const questions = WireQuestions.safeParse(request.body);
    if (!questions.success)
      throw new Problem('authorizer/bad-question', { detail: questions.error.issues[0]?.message ?? 'not questions' });
    return (await decide(questions.data.map(fromWireQuestion))).map(toWireAnswer);
  });
};

/** Equal lengths, whatever was sent: comparing digests tells nothing by its time. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
