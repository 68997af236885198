/** Facts that take access away, or may: of them it matters when every proxy enforces them. */
import type { Fact } from '../facts/fact.ts';

export const takesAway: ReadonlySet<Fact['type']> = new Set([
  'postern.principal.left.v1',
  'postern.principal.moved.v1',
  'postern.session.revoked.v1',
  'postern.group.changed.v1',
  'postern.group.deleted.v1',
  'postern.role.changed.v1',
  'postern.role.retired.v1',
  'postern.grant.revoked.v1',
  'postern.credential.revoked.v1',
]);
