/**
 * The part of the organisation that a question is about, as it was at a moment: the fold of the facts that matter to it. What is left
 * out cannot change the answer: a question about one person rests on nobody else's grants and memberships, one about an endpoint on no
 * role that does not open it. `slice.int.test.ts` holds that against the fold of everything.
 */
import {
  concern,
  type EndpointId,
  Organisation,
  opensEndpoint,
  type Relationship,
  type RoleName,
} from '@postern/schemas';
import type { History, ReadableFact } from './history.ts';
import { counts, type Moment } from './moment.ts';

export type Slice = {
  readonly organisation: Organisation;
  /** What the engine is given. */
  readonly relationships: readonly Relationship[];
  /** The facts that it was folded from, and no others. */
  readonly facts: readonly ReadableFact[];
};

const isPrincipal = (subject: string): boolean => /^(user|workload):/.test(subject);
const groupOf = (holder: string): string | undefined => /^(group:.+)#member$/.exec(holder)?.[1];
const ownTypes = new Set(['group', 'credential', 'role', 'service', 'endpoint', 'object_permission']);

export const slices = (history: History) => {
  /** Of what is published in parts: the last publication at the moment, whole. */
  const lastPublished = async (name: string, isIn: (sequence: number) => boolean): Promise<number[]> => {
    const all = history.under(name).filter(isIn);
    const last = all.at(-1);
    if (last === undefined) return [];
    const [fact] = await history.read([last]);
    const data = fact?.fact.data as { readonly parts?: number } | undefined;
    return all.slice(-(data?.parts ?? 1));
  };
  const model = async (isIn: (sequence: number) => boolean, services: Iterable<string>): Promise<Set<number>> => {
    const found = new Set([...(await lastPublished(concern.schema, isIn)), ...history.under(concern.roles)]);
    for (const service of services)
      for (const each of await lastPublished(concern.service(service), isIn)) found.add(each);
    return found;
  };
  /** The sequences under a name that count, put with the others. */
  const adding =
    (to: Set<number>, isIn: (sequence: number) => boolean) =>
    (name: string): readonly number[] => {
      const found = history.under(name).filter(isIn);
      for (const each of found) to.add(each);
      return found;
    };
  /** Where the group was deleted; and, before each of them, the fact that says that there was such a group to be deleted. */
  const addEnds = (to: Set<number>, add: (name: string) => readonly number[], group: string): void => {
    const all = history.under(concern.group(group));
    for (const gone of add(concern.groupGone(group))) {
      const before = all[all.indexOf(gone) - 1];
      if (before !== undefined) to.add(before);
    }
  };
  const fold = async (sequences: Iterable<number>, moment: Moment) => {
    const isIn = counts(history, moment);
    const facts = await history.read([...sequences].filter(isIn));
    const organisation = new Organisation();
    for (const each of facts) organisation.apply(each);
    return { organisation, facts };
  };

  /** Everything that the subject's access rests on; of a key, its owner's too. With objects, the relationships they rest on. */
  const ofSubject = async (
    subject: string,
    moment: Moment,
    { service, objects = [] }: { readonly service?: string; readonly objects?: readonly string[] } = {},
  ): Promise<Slice> => {
    const isIn = counts(history, moment);
    const sequences = await model(isIn, service === undefined ? history.services() : [service]);
    const add = adding(sequences, isIn);
    const links = new Set([subject]);
    add(concern.held(subject));
    if (subject.startsWith('credential:'))
      for (const { fact } of await history.read(add(concern.key(subject))))
        if (fact.type === 'postern.credential.issued.v1') links.add(fact.data.owner);
    for (const link of links) {
      if (!isPrincipal(link)) continue;
      add(concern.life(link));
      add(concern.held(link));
      const members = [link];
      const seen = new Set(members);
      for (let member = members.pop(); member !== undefined; member = members.pop())
        for (const { fact } of await history.read(add(concern.memberships(member)))) {
          if (fact.type !== 'postern.group.changed.v1' || seen.has(fact.data.group)) continue;
          const { group } = fact.data;
          seen.add(group);
          members.push(group);
          addEnds(sequences, add, group);
          add(concern.held(`${group}#member`));
        }
    }
    await addObjects(add, objects);
    const { organisation, facts } = await fold(sequences, moment);
    const relationships: Relationship[] = [];
    for (const each of organisation.relationships()) {
      // A fact of a group names others as well; of them not all is known here, and nobody asks about them.
      if (each.relation === 'member' && each.resource.startsWith('group:') && !links.has(each.subject)) continue;
      if (objects.length === 0 && !ownTypes.has(each.resource.slice(0, each.resource.indexOf(':')))) continue;
      relationships.push(each);
    }
    return { organisation, relationships, facts };
  };

  /** Along relationships of objects from the asked ones on: whatever a check could come by. */
  const addObjects = async (add: (name: string) => readonly number[], objects: readonly string[]): Promise<void> => {
    const open = [...objects];
    const seen = new Set(open);
    for (let object = open.pop(); object !== undefined; object = open.pop())
      for (const { fact } of await history.read(add(concern.object(object)))) {
        if (fact.type !== 'postern.object.related.v1') continue;
        const [next = ''] = fact.data.subject.split('#');
        if (!seen.has(next) && !isPrincipal(next)) open.push(next);
        seen.add(next);
      }
  };

  /** Everybody who holds a role that opens the endpoint at the moment, and what they hold it by. */
  const ofEndpoint = async (endpoint: EndpointId, moment: Moment): Promise<Slice> => {
    const service = endpoint.slice(0, endpoint.indexOf('/'));
    const isIn = counts(history, moment);
    const sequences = await model(isIn, [service]);
    const add = adding(sequences, isIn);
    const { organisation: bare } = await fold(sequences, moment);
    const declared = bare.services.get(service)?.endpoints.find(({ id }) => id === endpoint);
    const opening = [...bare.roles].filter(
      ([, { allows }]) =>
        declared !== undefined && allows.some((allowance) => opensEndpoint(allowance, service, declared)),
    );
    const people = new Set<string>();
    for (const [role] of opening)
      for (const { fact } of await history.read(add(concern.grantsOf(role))))
        if (fact.type === 'postern.grant.issued.v1') people.add(fact.data.subject);
    for (const holder of people) {
      const group = groupOf(holder) ?? (holder.startsWith('group:') ? holder : undefined);
      if (group !== undefined) {
        for (const { fact } of await history.read(add(concern.group(group))))
          if (fact.type === 'postern.group.changed.v1') for (const member of fact.data.add) people.add(member);
      } else if (holder.startsWith('credential:')) {
        for (const { fact } of await history.read(add(concern.key(holder))))
          if (fact.type === 'postern.credential.issued.v1') people.add(fact.data.owner);
      } else add(concern.life(holder));
    }
    const { organisation, facts } = await fold(sequences, moment);
    const opens: ReadonlySet<RoleName> = new Set(opening.map(([role]) => role));
    const relationships = [...organisation.relationships()].filter(
      ({ resource, relation }) =>
        ownTypes.has(resource.slice(0, resource.indexOf(':'))) &&
        (relation !== 'holder' || !resource.startsWith('role:') || opens.has(resource.slice(5) as RoleName)),
    );
    return { organisation, relationships, facts };
  };

  /** Schema, routes and roles, and nobody who holds any. */
  const ofModel = async (moment: Moment): Promise<Slice> => {
    const sequences = await model(counts(history, moment), history.services());
    const { organisation, facts } = await fold(sequences, moment);
    return { organisation, relationships: [], facts };
  };

  return { ofSubject, ofEndpoint, ofModel };
};
