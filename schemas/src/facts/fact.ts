/** The closed union of facts. A new fact is added here, and every switch that forgets it stops compiling. */
import { z } from 'zod';
import { BreakGlassClosed, BreakGlassOpened, BreakGlassReviewed } from './break-glass.ts';
import {
  CredentialExpired,
  CredentialExpiring,
  CredentialIssued,
  CredentialRevoked,
  CredentialRotated,
} from './credential.ts';
import { envelopeShape } from './envelope.ts';
import { BirthrightWithheld, GrantExpired, GrantIssued, GrantRevoked } from './grant.ts';
import { GroupChanged, GroupClaimed, GroupDeleted } from './group.ts';
import { EventNoted, EventReleased, EventScheduled, EventUnscheduled, PrincipalClaimed } from './inbound.ts';
import { ObjectClaimed, ObjectRelation } from './object.ts';
import { PrincipalJoined, PrincipalLeft, PrincipalMoved, SessionRevoked } from './principal.ts';
import { HoldLifted, HoldPlaced, RetentionApplied, RetentionPruned, SubjectErased } from './privacy.ts';
import { RoutesPublished, SchemaPublished } from './published.ts';
import { AuditRead, LoggingDegraded, LoggingStarted, LoggingStopped } from './reading.ts';
import { EnforcementLate, EnforcementReached, EventQuarantined } from './record.ts';
import { GrantApproved, GrantDenied, GrantRequested, GrantUnanswered, GrantWithdrawn } from './request.ts';
import { ReviewClosed, ReviewDecided, ReviewEscalated, ReviewListed, ReviewOpened, ReviewReminded } from './review.ts';
import { RoleChanged, RoleDefined, RoleRetired } from './role.ts';

const fact = <Type extends string, Data extends z.ZodType>(type: Type, data: Data) =>
  z.strictObject({ ...envelopeShape, type: z.literal(type), data });

export const Fact = z.discriminatedUnion('type', [
  fact('postern.principal.joined.v1', PrincipalJoined),
  fact('postern.principal.moved.v1', PrincipalMoved),
  fact('postern.principal.left.v1', PrincipalLeft),
  fact('postern.principal.claimed.v1', PrincipalClaimed),
  fact('postern.session.revoked.v1', SessionRevoked),
  fact('postern.group.changed.v1', GroupChanged),
  fact('postern.group.deleted.v1', GroupDeleted),
  fact('postern.group.claimed.v1', GroupClaimed),
  fact('postern.role.defined.v1', RoleDefined),
  fact('postern.role.changed.v1', RoleChanged),
  fact('postern.role.retired.v1', RoleRetired),
  fact('postern.grant.issued.v1', GrantIssued),
  fact('postern.grant.revoked.v1', GrantRevoked),
  fact('postern.grant.expired.v1', GrantExpired),
  fact('postern.grant.requested.v1', GrantRequested),
  fact('postern.grant.approved.v1', GrantApproved),
  fact('postern.grant.denied.v1', GrantDenied),
  fact('postern.grant.withdrawn.v1', GrantWithdrawn),
  fact('postern.grant.unanswered.v1', GrantUnanswered),
  fact('postern.birthright.withheld.v1', BirthrightWithheld),
  fact('postern.breakglass.opened.v1', BreakGlassOpened),
  fact('postern.breakglass.closed.v1', BreakGlassClosed),
  fact('postern.breakglass.reviewed.v1', BreakGlassReviewed),
  fact('postern.review.opened.v1', ReviewOpened),
  fact('postern.review.listed.v1', ReviewListed),
  fact('postern.review.decided.v1', ReviewDecided),
  fact('postern.review.reminded.v1', ReviewReminded),
  fact('postern.review.escalated.v1', ReviewEscalated),
  fact('postern.review.closed.v1', ReviewClosed),
  fact('postern.object.related.v1', ObjectRelation),
  fact('postern.object.unrelated.v1', ObjectRelation),
  fact('postern.object.claimed.v1', ObjectClaimed),
  fact('postern.credential.issued.v1', CredentialIssued),
  fact('postern.credential.rotated.v1', CredentialRotated),
  fact('postern.credential.revoked.v1', CredentialRevoked),
  fact('postern.credential.expired.v1', CredentialExpired),
  fact('postern.credential.expiring.v1', CredentialExpiring),
  fact('postern.schema.published.v1', SchemaPublished),
  fact('postern.routes.published.v1', RoutesPublished),
  fact('postern.event.noted.v1', EventNoted),
  fact('postern.event.scheduled.v1', EventScheduled),
  fact('postern.event.unscheduled.v1', EventUnscheduled),
  fact('postern.event.quarantined.v1', EventQuarantined),
  fact('postern.event.released.v1', EventReleased),
  fact('postern.enforcement.reached.v1', EnforcementReached),
  fact('postern.enforcement.late.v1', EnforcementLate),
  fact('postern.audit.read.v1', AuditRead),
  fact('postern.logging.started.v1', LoggingStarted),
  fact('postern.logging.stopped.v1', LoggingStopped),
  fact('postern.logging.degraded.v1', LoggingDegraded),
  fact('postern.subject.erased.v1', SubjectErased),
  fact('postern.hold.placed.v1', HoldPlaced),
  fact('postern.hold.lifted.v1', HoldLifted),
  fact('postern.retention.applied.v1', RetentionApplied),
  fact('postern.retention.pruned.v1', RetentionPruned),
]);
export type Fact = z.infer<typeof Fact>;
export type FactType = Fact['type'];
export type FactOf<Type extends FactType> = Extract<Fact, { type: Type }>;

/** A fact before the log has given it its place: what a decider returns. */
type Draft<F> = F extends Fact
  ? Omit<F, 'specversion' | 'sequence' | 'appendid' | 'datacontenttype' | 'dataschema'>
  : never;
export type FactDraft = Draft<Fact>;
