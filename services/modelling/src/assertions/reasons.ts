/** What an assertion expected, what came, and why: the way through the graph for an allow, the nearest miss for a deny. */
import type { Endpoint, PrincipalId, SubjectId } from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import type { Explanation, Miss, Way } from '../judgement.ts';
import { allowanceText } from '../lint/opens.ts';
import { relatedKey } from './ask.ts';
import { type Asked, isAllowed } from './asked.ts';
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
      const allowed = isAllowed(first);
      if (allowed === sentence.can) return undefined;
      return {
        what: `expected ${sentence.can ? 'allow' : 'deny'}, got ${allowed ? 'allow' : 'deny'}: ${reasonText(folded, first)}`,
      };
    }
    case 'anybody':
      return closedIn(first) === undefined
        ? undefined
        : {
            what: `${closedIn(first)?.id} asks for a credential`,
            fix: 'mark it public in the route file, or say who can',
          };
    case 'nobody-but':
      return onlyThose(folded, sentence, asked);
  }
};

/** The first endpoint of a call that asks for a credential. */
const closedIn = (asked: Asked | undefined): Endpoint | undefined =>
  asked?.called.endpoints.find((each) => each.public !== true);

const onlyThose = (
  folded: FoldedModel,
  sentence: Extract<Assertion, { kind: 'nobody-but' }>,
  asked: readonly Asked[],
): Failure | undefined => {
  if (asked.length > 0 && asked.every((each) => closedIn(each) === undefined))
    return { what: 'the endpoint is public: anybody can, without a credential', fix: 'remove public from its route' };
  const could = asked.filter((each) => mightAllow(each, sentence));
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

const mightAllow = ({ answer }: Asked, sentence: Assertion): boolean =>
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

/** What the authorizer says of it; objects are held by relationships where the engine said so. */
export const explained = (
  { explain }: FoldedModel,
  { subjects, context, called, related }: Asked,
  endpoint: Endpoint,
): Explanation =>
  explain({
    subjects,
    endpoint: endpoint.id,
    objects: called.objects,
    related: (subject, object) => related.has(relatedKey(subject, object)),
    context,
  });

/** Why the answer is what it is, in one line. */
export const reasonText = (folded: FoldedModel, asked: Asked): string => {
  const { endpoint, answer, lacking } = asked;
  if (lacking !== undefined && answer.outcome === 'allow')
    return `${lacking.endpoint.id} asks for the scopes ${lacking.scopes.join(', ')}, which the token lacks`;
  const explanation = explained(folded, asked, endpoint);
  if (explanation.outcome === 'deny') return missText(explanation.misses, endpoint.id);
  if ('public' in explanation) return `${endpoint.id} is public`;
  return explanation.ways.flatMap((way) => wayText(way) ?? []).join(', ');
};

const wayText = ({ subject, role, group, allows, object, through = [] }: Way): string | undefined => {
  if (role !== undefined && allows !== undefined)
    return `${role}${group === undefined ? '' : ` through ${group}`} allows ${allowanceText(allows)}`;
  if (object === undefined) return undefined;
  const edges = through.map((each) => `${each.resource} ${each.relation} ${each.subject}`);
  return `${subject} holds ${object}${edges.length > 0 ? ` because ${edges.join(', ')}` : ''}`;
};

const missText = (misses: readonly Miss[], endpoint: string): string => {
  const condition = misses.find(({ kind }) => kind === 'condition');
  if (condition !== undefined) {
    const unmet = condition.unmet?.length ? `${condition.unmet.join(', ')} not met` : '';
    const missing = condition.missing?.length ? `${condition.missing.join(', ')} not known` : '';
    return `${condition.role} would do, but ${[unmet, missing].filter(Boolean).join(', ')}`;
  }
  const roles = misses.flatMap(({ kind, role }) => (kind === 'role' && role !== undefined ? [role] : []));
  const of = misses.find(({ kind }) => kind === 'object');
  if (of?.object !== undefined) {
    const [object = ''] = of.object.split('#');
    const relations = (of.relations ?? []).map((each) => `${object} ${each}`);
    const would = [...relations, ...roles.map((role) => `the role ${role}`)];
    return `${endpoint} is open, but not ${of.object}${would.length > 0 ? `; ${would.join(', ')} would do` : ''}`;
  }
  return roles.length > 0
    ? `nothing given opens ${endpoint}; ${roles.join(', ')} would, the smallest first`
    : `no role opens ${endpoint}`;
};
