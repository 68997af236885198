/**
 * Questions and answers between a proxy and the authorizer, as compact JSON arrays: the hottest bytes of the distributed world.
 *
 *   question  [subjects, endpoint, now, ip | null, country | null, atLeast, more?]
 *   more      { o?: [[resource, permission], …], acr?, amr? }, where the question has any of them
 *   answer    ["allow", sequence, dependsOn] · ["deny", sequence, dependsOn, reason] · ["unavailable", reason]
 */
import {
  type Answer,
  CredentialId,
  contextFields,
  EndpointId,
  PrincipalId,
  type Question,
  Sequence,
} from '@postern/schemas';
import { z } from 'zod';

export const decidePath = '/pdp/decide';
/** More in one request are refused: a proxy asks in smaller batches. */
export const questionsMax = 10_000;

const text = z.string().max(1_000);
const More = z.strictObject({
  o: z
    .array(z.tuple([text, text]))
    .max(20)
    .optional(),
  acr: text.optional(),
  amr: z.array(text).max(100).optional(),
});

const WireQuestion = z.tuple([
  z.array(z.union([PrincipalId, CredentialId])).max(100),
  EndpointId,
  z.iso.datetime({ offset: true }),
  z.string().max(100).nullable(),
  z.string().max(100).nullable(),
  Sequence,
  More.optional(),
]);
export const WireQuestions = z.array(WireQuestion).max(questionsMax);

const DependsOn = z.array(z.enum(contextFields));
const WireAnswer = z.union([
  z.tuple([z.literal('allow'), Sequence, DependsOn]),
  z.tuple([z.literal('deny'), Sequence, DependsOn, z.enum(['no-grant', 'condition-unmet', 'context-missing'])]),
  z.tuple([z.literal('unavailable'), z.enum(['engine-unreachable', 'behind', 'timeout', 'bad-context'])]),
]);
export const WireAnswers = z.array(WireAnswer);

export const toWireQuestion = (question: Question): z.infer<typeof WireQuestion> => {
  const { subjects, endpoint, objects, context, atLeast } = question;
  const { now, ip = null, country = null, acr, amr } = context;
  const more = objects !== undefined || acr !== undefined || amr !== undefined;
  if (!more) return [[...subjects], endpoint, now, ip, country, atLeast];
  const rest = {
    ...(objects && { o: objects.map(({ resource, permission }): [string, string] => [resource, permission]) }),
    ...(acr !== undefined && { acr }),
    ...(amr && { amr: [...amr] }),
  };
  return [[...subjects], endpoint, now, ip, country, atLeast, rest];
};

export const fromWireQuestion = ([subjects, endpoint, now, ip, country, atLeast, more = {}]: z.infer<
  typeof WireQuestion
>): Question => ({
  subjects,
  endpoint,
  ...(more.o && { objects: more.o.map(([resource, permission]) => ({ resource, permission })) }),
  context: {
    now,
    ...(ip !== null && { ip }),
    ...(country !== null && { country }),
    ...(more.acr !== undefined && { acr: more.acr }),
    ...(more.amr && { amr: more.amr }),
  },
  atLeast,
});

export const toWireAnswer = (answer: Answer): z.infer<typeof WireAnswer> => {
  switch (answer.outcome) {
    case 'allow':
      return ['allow', answer.sequence, [...answer.dependsOn]];
    case 'deny':
      return ['deny', answer.sequence, [...answer.dependsOn], answer.reason];
    case 'unavailable':
      return ['unavailable', answer.reason];
  }
};

export const fromWireAnswer = (wire: z.infer<typeof WireAnswer>): Answer => {
  switch (wire[0]) {
    case 'allow':
      return { outcome: 'allow', sequence: wire[1], dependsOn: wire[2] };
    case 'deny':
      return { outcome: 'deny', sequence: wire[1], dependsOn: wire[2], reason: wire[3] };
    case 'unavailable':
      return { outcome: 'unavailable', reason: wire[1] };
  }
};
