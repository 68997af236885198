/** What an assertion expected, what came, and why: the way through the graph for an allow, the nearest miss for a deny. */
import type { Answer, PrincipalId, SubjectId } from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import { allowanceText } from '../lint/opens.ts';
import type { Asked } from './asked.ts';
import type { Assertion } from './sentences.ts';
import { isProbe } from './stage.ts';

export type Failure = { readonly what: string; readonly fix?: string };

/** Undefined where the assertion holds. */
export const expectation = (folded: FoldedModel, sentence: Assertion, asked: readonly Asked[]): Failure | undefined => {
  const unavailable = asked.find(({ answer }) => answer.outcome === 'unavailable');
  if (unavailable !== undefined)
    return { what: `the engine could not decide (${(unavailable.answer as { reason: string }).reason})` };
  const [first] = asked;
  switch (sentence.kind) {
    case 'can': {
      if (first === undefined) return { what: 'nothing was asked' };
      const allowed = first.answer.outcome === 'allow';
      if (allowed === sentence.can) return undefined;
      return {
        what: `expected ${sentence.can ? 'allow' : 'deny'}, got ${allowed ? 'allow' : 'deny'}: ${reasonText(folded, first)}`,
      };
    }
    case 'anybody':
      return first?.called.endpoint.public === true
        ? undefined
        : {
            what: `${first?.called.endpoint.id} asks for a credential`,
            fix: 'mark it public in the route file, or say who can',
          };
    case 'nobody-but':
      return onlyThose(folded, sentence, asked);
  }
};

const onlyThose = (
  folded: FoldedModel,
  sentence: Extract<Assertion, { kind: 'nobody-but' }>,
  asked: readonly Asked[],
): Failure | undefined => {
  if (asked.some(({ called }) => called.endpoint.public === true))
    return { what: 'the endpoint is public: anybody can, without a credential', fix: 'remove public from its route' };
  const could = asked.filter(({ answer }) => mightAllow(answer, sentence));
  const others = could.filter(
    ({ subjects }) => !subjects.some((subject) => isExcepted(folded, sentence.except, subject)),
  );
  if (others.length > 0) {
    const named = others.slice(0, namedMax).map((one) => `${nameOf(one)} can too (${reasonText(folded, one)})`);
    const more = others.length > namedMax ? `, and ${others.length - namedMax} more` : '';
    return { what: `${named.join('; ')}${more}` };
  }
  const idle = sentence.except.find(
    (each) => !could.some(({ subjects }) => subjects.some((subject) => isExcepted(folded, [each], subject))),
  );
  return idle === undefined
    ? undefined
    : { what: `${idle} cannot either`, fix: 'give it access, or leave it out of the sentence' };
};

const namedMax = 5;

/** Does the sentence say when and from where? Then it is judged just so; else whoever could under any circumstances can. */
export const asksExactly = ({ circumstances }: Assertion): boolean => Object.keys(circumstances).length > 0;

const mightAllow = (answer: Answer, sentence: Assertion): boolean =>
  answer.outcome === 'allow' || (!asksExactly(sentence) && answer.outcome === 'deny' && answer.reason !== 'no-grant');

const isExcepted = ({ organisation }: FoldedModel, except: readonly string[], subject: string): boolean => {
  const groups = /^(user|workload):/.test(subject) ? [...organisation.groups.around(subject as PrincipalId)] : [];
  const holders = [subject as SubjectId, ...groups.map((group) => `${group}#member` as SubjectId)];
  const names = new Set<string>([subject, ...groups]);
  for (const holder of holders) for (const { role } of organisation.grantsOf(holder)) names.add(`role:${role}`);
  return except.some((each) => names.has(each));
};

const nameOf = ({ subjects: [first] }: Asked): string =>
  first === undefined ? 'nobody' : isProbe(first) ? `role:${first.slice('workload:postern-check/'.length)}` : first;

/** Why the answer is what it is, in one line. */
export const reasonText = ({ explain }: FoldedModel, { subjects, context, called, answer }: Asked): string => {
  const { endpoint, objects } = called;
  if (endpoint.public === true) return `${endpoint.id} is public`;
  const explanation = explain({ subjects, endpoint: endpoint.id, context });
  if (explanation.outcome === 'allow') {
    if (answer.outcome === 'deny' && objects.length > 0)
      return `${endpoint.id} is open, but not ${objects.map(({ resource, permission }) => `${resource}#${permission}`).join(', ')}`;
    if ('public' in explanation) return `${endpoint.id} is public`;
    return explanation.ways
      .flatMap((way) =>
        way.role !== undefined && way.allows !== undefined
          ? [`${way.role}${way.group === undefined ? '' : ` through ${way.group}`} allows ${allowanceText(way.allows)}`]
          : [],
      )
      .join(', ');
  }
  const { misses } = explanation;
  const condition = misses.find(({ kind }) => kind === 'condition');
  if (condition !== undefined) {
    const unmet = condition.unmet?.length ? `${condition.unmet.join(', ')} not met` : '';
    const missing = condition.missing?.length ? `${condition.missing.join(', ')} not known` : '';
    return `${condition.role} would do, but ${[unmet, missing].filter(Boolean).join(', ')}`;
  }
  const roles = misses.flatMap(({ kind, role }) => (kind === 'role' && role !== undefined ? [role] : []));
  return roles.length > 0
    ? `nothing given opens ${endpoint.id}; ${roles.join(', ')} would, the smallest first`
    : `no role opens ${endpoint.id}`;
};
