/** The relationships that a role's rules, a service's routes and a change of membership mean, and what differs between two sets. */
import type { RoleRules } from '../facts/role.ts';
import type { RoleName } from '../ids.ts';
import { objectPermission, type Relationship, type RelationshipUpdate, relationshipKey } from '../relationship.ts';
import type { Service } from '../routes/endpoint.ts';
import type { MembershipChange } from './closure.ts';

export const touch = (relationship: Relationship): RelationshipUpdate => ({ operation: 'touch', relationship });
export const remove = (relationship: Relationship): RelationshipUpdate => ({ operation: 'delete', relationship });

const accessRelation = { read: 'reader', write: 'writer', admin: 'administrator' } as const;
const classRelation = { read: 'reads', write: 'writes', admin: 'administers' } as const;

export function* roleEdges(role: RoleName, rules: RoleRules): Generator<Relationship> {
  const subject = `role:${role}#holder`;
  for (const allowance of rules.allows)
    if ('service' in allowance)
      yield { resource: `service:${allowance.service}`, relation: accessRelation[allowance.access], subject };
    else if ('endpoint' in allowance) yield { resource: `endpoint:${allowance.endpoint}`, relation: 'caller', subject };
    else yield { resource: objectPermission(allowance.object, allowance.permission), relation: 'holder', subject };
}

export function* routeEdges(service: Service): Generator<Relationship> {
  // No class of access reaches an opaque endpoint: a role has to name it.
  for (const endpoint of service.endpoints)
    if (endpoint.opaque !== true)
      yield {
        resource: `endpoint:${endpoint.id}`,
        relation: classRelation[endpoint.access],
        subject: `service:${service.name}`,
      };
}

export const toMemberships = (changes: readonly MembershipChange[]): RelationshipUpdate[] =>
  changes.map(({ group, principal, is }) =>
    (is === 'in' ? touch : remove)({ resource: group, relation: 'member', subject: principal }),
  );

export const difference = (before: readonly Relationship[], after: readonly Relationship[]): RelationshipUpdate[] => {
  const kept = new Set(after.map(relationshipKey));
  const had = new Set(before.map(relationshipKey));
  return [
    ...before.filter((edge) => !kept.has(relationshipKey(edge))).map(remove),
    ...after.filter((edge) => !had.has(relationshipKey(edge))).map(touch),
  ];
};
