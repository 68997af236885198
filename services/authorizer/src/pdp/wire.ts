/**
 * Questions and answers between a proxy and the authorizer, as compact JSON arrays: the hottest bytes of the distributed world.
 *
 *   question  [subjects, endpoint, now, ip | null, country | null, atLeast]
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

const WireQuestion = z.tuple([
  z.array(z.union([PrincipalId, CredentialId])).max(100),
  EndpointId,
  z.iso.datetime({ offset: true }),
  z.string().max(100).nullable(),
  z.string().max(100).nullable(),
  Sequence,
]);
export const WireQuestions = z.array(WireQuestion).max(questionsMax);

const DependsOn = z.array(z.enum(contextFields));
const WireAnswer = z.union([
  z.tuple([z.literal('allow'), Sequence, DependsOn]),
  z.tuple([z.literal('deny'), Sequence, DependsOn, z.enum(['no-grant', 'condition-unmet', 'context-missing'])]),
  z.tuple([z.literal('unavailable'), z.enum(['engine-unreachable', 'behind', 'timeout', 'bad-context'])]),
]);
export const WireAnswers = z.array(WireAnswer);

export const toWireQuestion = ({ subjects, endpoint, context, atLeast }: Question): z.infer<typeof WireQuestion> => [
  [...subjects],
  endpoint,
  context.now,
  context.ip ?? null,
  context.country ?? null,
  atLeast,
];

export const fromWireQuestion = ([subjects, endpoint, now, ip, country, atLeast]: z.infer<
  typeof WireQuestion
>): Question => ({
  subjects,
  endpoint,
  context: { now, ...(ip !== null && { ip }), ...(country !== null && { country }) },
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
