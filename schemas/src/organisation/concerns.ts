/**
 * What a fact is about, as names to find it by: the whole history of one group, one role, one holder is the facts under a name, and
 * the fold of those alone says of that group, role or holder what the fold of everything says. See docs/adr/0022-as-of-folds-what-matters.md.
 */
import { assertNever } from '../assert-never.ts';
import type { FactType } from '../facts/fact.ts';

export const concern = {
  schema: 'schema',
  /** Every role: few, and needed by almost every question. */
  roles: 'roles',
  /** Its routes. */
  service: (name: string) => `service ${name}`,
  /** Joined, moved, left. */
  life: (principal: string) => `life ${principal}`,
  /** All that changed who stands in the group. */
  group: (group: string) => `group ${group}`,
  groupGone: (group: string) => `gone ${group}`,
  /** The groups' facts that name the member. */
  memberships: (member: string) => `in ${member}`,
  /** Grants of the holder, as it stands in the grant: `group:hr#member`. */
  held: (holder: string) => `held ${holder}`,
  /** Grants of the role. */
  grantsOf: (role: string) => `grants ${role}`,
  key: (credential: string) => `key ${credential}`,
  keysOf: (owner: string) => `keys ${owner}`,
  /** Relationships of the object. */
  object: (object: string) => `object ${object}`,
} as const;

type Loose = Readonly<Record<string, unknown>>;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

/** `data` is read as it comes, before anybody has checked it: a name too many does no harm, whoever folds reads the fact whole. */
export const concernsOf = (type: FactType, data: Loose): string[] => {
  switch (type) {
    case 'postern.principal.joined.v1':
    case 'postern.principal.moved.v1':
    case 'postern.principal.left.v1':
    case 'postern.principal.claimed.v1':
      return [concern.life(text(data['principal']))];
    case 'postern.group.changed.v1':
      return [
        concern.group(text(data['group'])),
        ...[...texts(data['add']), ...texts(data['remove'])].map(concern.memberships),
      ];
    case 'postern.group.deleted.v1':
      return [concern.group(text(data['group'])), concern.groupGone(text(data['group']))];
    case 'postern.role.defined.v1':
    case 'postern.role.changed.v1':
    case 'postern.role.retired.v1':
      return [concern.roles];
    case 'postern.grant.issued.v1':
    case 'postern.grant.revoked.v1':
    case 'postern.grant.expired.v1':
      return [concern.held(text(data['subject'])), concern.grantsOf(text(data['role']))];
    case 'postern.credential.issued.v1':
      return [concern.key(text(data['credential'])), concern.keysOf(text(data['owner']))];
    case 'postern.credential.rotated.v1':
    case 'postern.credential.revoked.v1':
    case 'postern.credential.expired.v1':
      return [concern.key(text(data['credential']))];
    case 'postern.object.related.v1':
    case 'postern.object.unrelated.v1':
      return [concern.object(text(data['object']))];
    case 'postern.schema.published.v1':
      return [concern.schema];
    case 'postern.routes.published.v1':
      return [concern.service(text(data['service']))];
    case 'postern.group.claimed.v1':
    case 'postern.object.claimed.v1':
    case 'postern.credential.expiring.v1':
    case 'postern.session.revoked.v1':
    case 'postern.grant.requested.v1':
    case 'postern.grant.approved.v1':
    case 'postern.grant.denied.v1':
    case 'postern.grant.withdrawn.v1':
    case 'postern.grant.unanswered.v1':
    case 'postern.birthright.withheld.v1':
    case 'postern.breakglass.opened.v1':
    case 'postern.breakglass.closed.v1':
    case 'postern.breakglass.reviewed.v1':
    case 'postern.review.opened.v1':
    case 'postern.review.listed.v1':
    case 'postern.review.decided.v1':
    case 'postern.review.reminded.v1':
    case 'postern.review.escalated.v1':
    case 'postern.review.closed.v1':
    case 'postern.event.scheduled.v1':
    case 'postern.event.unscheduled.v1':
    case 'postern.event.quarantined.v1':
    case 'postern.event.released.v1':
    case 'postern.event.noted.v1':
    case 'postern.enforcement.reached.v1':
    case 'postern.enforcement.late.v1':
    case 'postern.audit.read.v1':
    case 'postern.logging.started.v1':
    case 'postern.logging.stopped.v1':
    case 'postern.logging.degraded.v1':
    case 'postern.subject.erased.v1':
    case 'postern.hold.placed.v1':
    case 'postern.hold.lifted.v1':
    case 'postern.retention.applied.v1':
    case 'postern.retention.pruned.v1':
      // They change nothing in the graph.
      return [];
    default:
      return assertNever(type);
  }
};
