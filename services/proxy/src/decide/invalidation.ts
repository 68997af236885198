/** Which cached decisions a fact touches: the rule of DESIGN §6, derived from the relationship updates that the fact means. */
import { type Fact, gateTypes, type RelationshipUpdate } from '@postern/schemas';

export type Invalidation =
  /** Every decision in which it is principal, owner, actor or credential. */
  | { readonly kind: 'subject'; readonly subject: string }
  | { readonly kind: 'endpoint'; readonly endpoint: string }
  /** Every decision there is. */
  | { readonly kind: 'epoch' };

const epoch: readonly Invalidation[] = [{ kind: 'epoch' }];
const noLeaves: ReadonlySet<string> = new Set();

/**
 * Pure. `updates` is what `Organisation.apply` answered for the fact; `leaves` are the types that nothing goes through under the
 * schema in force. A relationship of an object whose subject is of such a type changes what this one subject holds and nobody
 * else's decisions, whatever the schema's expressions say: they work on one subject at a time (asking for `.all(…)` does not, and
 * then there are no leaves). Any other relationship of an object begins an epoch.
 */
export const invalidationsOf = (
  fact: Fact,
  updates: readonly RelationshipUpdate[],
  leaves: ReadonlySet<string> = noLeaves,
): readonly Invalidation[] => {
  // A route carries more than relationships (its template, whether it is public), and a schema gives them all another meaning.
  if (fact.type === 'postern.routes.published.v1' || fact.type === 'postern.schema.published.v1') return epoch;
  const found: Invalidation[] = [];
  if (fact.type === 'postern.session.revoked.v1' || fact.type === 'postern.principal.left.v1')
    found.push({ kind: 'subject', subject: fact.data.principal });
  if (fact.type === 'postern.credential.revoked.v1') found.push({ kind: 'subject', subject: fact.data.credential });
  for (const { relationship } of updates) {
    const { resource, relation, subject } = relationship;
    const terminal = !subject.includes('#');
    if (resource.startsWith('endpoint:'))
      found.push({ kind: 'endpoint', endpoint: resource.slice('endpoint:'.length) });
    else if (terminal && relation === 'holder' && resource.startsWith('role:'))
      found.push({ kind: 'subject', subject });
    else if (terminal && relation === 'member' && resource.startsWith('group:'))
      found.push({ kind: 'subject', subject });
    else if (terminal && relation === 'owner' && resource.startsWith('credential:'))
      found.push({ kind: 'subject', subject }, { kind: 'subject', subject: resource });
    else if (terminal && ofObject(resource) && leaves.has(typeOf(subject))) found.push({ kind: 'subject', subject });
    else return epoch;
  }
  return found;
};

const typeOf = (name: string): string => name.slice(0, name.indexOf(':'));
const ofObject = (resource: string): boolean => !gateTypes.has(typeOf(resource));
