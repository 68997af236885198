/** What changed between two moments: who gained which right, who lost it, and by which facts. */
import {
  type ChangeCause,
  Problem,
  type RightChange,
  type RightChanges,
  type TracedRight,
  type TracedWay,
} from '@postern/schemas';
import type { ReadableFact } from './history.ts';
import { counts, type Moment } from './moment.ts';
import type { Past } from './past.ts';

export type ChangesAsked = { readonly subject?: string | undefined; readonly endpoint?: string | undefined };

/** Whoever is named by the facts between the moments, where nobody is asked about. */
const subjectsMax = 200;

/** Rejects with `audit/bad-query` where the facts in between concern too many to be asked about at once. */
export const changesBetween = async (
  past: Past,
  [from, to]: readonly [Moment, Moment],
  { subject, endpoint }: ChangesAsked,
): Promise<RightChanges> => {
  const isBetween = between(past, from, to);
  const rightsAt = async (moment: Moment): Promise<readonly TracedRight[]> => {
    if (endpoint !== undefined) {
      const rights = await rightsToEndpoint(past, endpoint, moment);
      return subject === undefined ? rights : rights.filter((right) => right.subject === subject);
    }
    const rights: TracedRight[] = [];
    for (const each of subject === undefined ? await concerned(past, to, isBetween) : [subject])
      rights.push(...(await past.what(each, moment)));
    return rights;
  };
  const [before, after] = [await rightsAt(from), await rightsAt(to)];
  const keyOf = (right: TracedRight) => `${right.subject} ${right.endpoint}`;
  const [had, has] = [before, after].map((rights) => new Set(rights.map(keyOf)));
  const explained = async (rights: readonly TracedRight[]): Promise<RightChange[]> => {
    const changes: RightChange[] = [];
    for (const right of rights) {
      const { facts } = await past.sliceOf(right.subject, to);
      const because = facts.filter((fact) => isBetween(fact.sequence) && stands(fact, right)).map(toBecause);
      changes.push({ ...right, because });
    }
    return changes;
  };
  return {
    gained: await explained(after.filter((right) => had?.has(keyOf(right)) !== true)),
    lost: await explained(before.filter((right) => has?.has(keyOf(right)) !== true)),
  };
};

const between = (past: Past, from: Moment, to: Moment): ((sequence: number) => boolean) => {
  const [first, last] = [counts(past.history, from), counts(past.history, to)];
  return (sequence) => last(sequence) && !first(sequence);
};

/** An endpoint that no service declared yet, or any more, is nobody's. */
const rightsToEndpoint = async (past: Past, endpoint: string, moment: Moment): Promise<readonly TracedRight[]> => {
  try {
    return (await past.who(endpoint, moment)).rights;
  } catch (error) {
    if (error instanceof Problem && error.code === 'authorizer/bad-question') return [];
    throw error;
  }
};

const concerned = async (past: Past, to: Moment, isBetween: (sequence: number) => boolean): Promise<string[]> => {
  const found = new Set<string>();
  const all: number[] = [];
  for (let sequence = to.sequence; sequence > 0; sequence--) if (isBetween(sequence)) all.push(sequence);
  if (all.length > subjectsMax * 50)
    throw new Problem('audit/bad-query', {
      detail: `${all.length} facts lie between the two moments`,
      fix: 'Ask about one subject or one endpoint, or about a shorter time.',
    });
  for (const { fact } of await past.history.read(all)) for (const each of await namedBy(past, fact)) found.add(each);
  if (found.size > subjectsMax)
    throw new Problem('audit/bad-query', {
      detail: `the facts between the two moments concern ${found.size} subjects, more than ${subjectsMax}`,
      fix: 'Ask about one subject or one endpoint, or about a shorter time.',
    });
  return [...found].sort();
};

const isSubject = (text: string): boolean => /^(user|workload|credential):/.test(text);

/** Subjects whose rights a fact may have changed; of a group or a role, all who stood in it by any fact so far. */
const namedBy = async (past: Past, fact: ReadableFact['fact']): Promise<string[]> => {
  switch (fact.type) {
    case 'postern.principal.left.v1':
      return [fact.data.principal];
    case 'postern.group.changed.v1':
      return membersOf(past, [...fact.data.add, ...fact.data.remove]);
    case 'postern.group.deleted.v1':
      return membersOf(past, [fact.data.group]);
    case 'postern.grant.issued.v1':
    case 'postern.grant.revoked.v1':
    case 'postern.grant.expired.v1':
      return membersOf(past, [fact.data.subject.replace(/#member$/, '')]);
    case 'postern.credential.issued.v1':
    case 'postern.credential.revoked.v1':
    case 'postern.credential.expired.v1':
      return [fact.data.credential];
    case 'postern.role.changed.v1':
    case 'postern.role.retired.v1': {
      const grants = await past.history.read(past.history.under(`grants ${fact.data.role}`));
      const holders = grants.flatMap(({ fact: each }) =>
        each.type === 'postern.grant.issued.v1' ? [each.data.subject.replace(/#member$/, '')] : [],
      );
      return membersOf(past, holders);
    }
    default:
      return [];
  }
};

const membersOf = async (past: Past, names: readonly string[]): Promise<string[]> => {
  const all = new Set(names);
  for (const name of all) {
    if (!name.startsWith('group:')) continue;
    for (const { fact } of await past.history.read(past.history.under(`group ${name}`)))
      if (fact.type === 'postern.group.changed.v1') for (const member of fact.data.add) all.add(member);
  }
  return [...all].filter(isSubject);
};

/** Does the fact bear on one of the right's paths? */
const stands = ({ fact }: ReadableFact, { subject, endpoint, paths }: TracedRight): boolean => {
  const some = (holds: (path: TracedWay) => boolean): boolean => paths.some(holds);
  switch (fact.type) {
    case 'postern.principal.joined.v1':
    case 'postern.principal.left.v1':
      return fact.data.principal === subject || some((path) => path.subject === fact.data.principal);
    case 'postern.grant.issued.v1':
    case 'postern.grant.revoked.v1':
    case 'postern.grant.expired.v1':
      return some(({ grant }) => grant === fact.data.grant);
    case 'postern.group.changed.v1':
    case 'postern.group.deleted.v1':
      return some(({ group }) => group !== undefined);
    case 'postern.role.defined.v1':
    case 'postern.role.changed.v1':
    case 'postern.role.retired.v1':
      return some(({ role }) => role === fact.data.role);
    case 'postern.credential.issued.v1':
    case 'postern.credential.revoked.v1':
    case 'postern.credential.expired.v1':
      return some((path) => path.subject === fact.data.credential) || fact.data.credential === subject;
    case 'postern.routes.published.v1':
      return endpoint.startsWith(`${fact.data.service}/`);
    default:
      return false;
  }
};

export const toBecause = ({ sequence, fact }: ReadableFact): ChangeCause => ({
  fact: sequence,
  type: fact.type,
  recorded: fact.recordedtime,
  effective: fact.time,
  by: fact.authid,
  ...('reason' in fact.data && fact.data.reason !== undefined && { reason: fact.data.reason }),
  ...('ticket' in fact.data && fact.data.ticket !== undefined && { ticket: fact.data.ticket }),
});
