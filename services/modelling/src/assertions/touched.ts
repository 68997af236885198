/** What assertions touched, for coverage. */
import type { PrincipalId, SubjectId } from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import { type Asked, isAllowed, type Subject } from './asked.ts';
import type { Given } from './given.ts';
import type { Placed } from './reading.ts';
import { explained } from './reasons.ts';
import type { Assertion } from './sentences.ts';

export type Touched = {
  readonly roles: ReadonlySet<string>;
  readonly endpoints: ReadonlySet<string>;
  /** `employee#view` */
  readonly permissions: ReadonlySet<string>;
  /** `employee#manager` */
  readonly relations: ReadonlySet<string>;
};
type Collected = { [Key in keyof Touched]: Set<string> };

const typeOf = (object: string): string => object.slice(0, object.indexOf(':'));

export const touchGiven = (given: readonly Placed<Given>[], touched: Collected): void => {
  for (const { sentence } of given)
    if (sentence.kind === 'related') touched.relations.add(`${typeOf(sentence.object)}#${sentence.relation}`);
};

export const touch = (folded: FoldedModel, sentence: Assertion, asked: readonly Asked[], touched: Collected): void => {
  const named: readonly string[] =
    sentence.kind === 'can' ? sentence.callers : sentence.kind === 'nobody-but' ? sentence.except : [];
  for (const each of named) if (each.startsWith('role:')) touched.roles.add(each.slice('role:'.length));
  for (const one of asked) {
    for (const { id } of one.called.endpoints) touched.endpoints.add(id);
    for (const { resource, permission } of one.called.objects)
      touched.permissions.add(`${typeOf(resource)}#${permission}`);
    if (sentence.kind !== 'can') continue;
    // An allowed call touches the roles it went through; a refused one those that its callers hold and that do not suffice.
    if (isAllowed(one))
      for (const endpoint of one.called.endpoints) {
        const explanation = explained(folded, one, endpoint);
        if (explanation.outcome === 'allow' && 'ways' in explanation)
          for (const { role } of explanation.ways) if (role !== undefined) touched.roles.add(role);
      }
    else
      for (const subject of one.subjects)
        for (const role of rolesOf(folded.organisation, subject)) touched.roles.add(role);
  }
};

const rolesOf = (organisation: FoldedModel['organisation'], subject: Subject): string[] => {
  const groups = subject.startsWith('credential:') ? [] : [...organisation.groups.around(subject as PrincipalId)];
  return [subject as SubjectId, ...groups.map((group) => `${group}#member` as SubjectId)].flatMap((holder) =>
    organisation.grantsOf(holder).map(({ role }) => role),
  );
};
