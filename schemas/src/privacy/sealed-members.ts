/**
 * Which members of which fact are texts that somebody writes about a person: they never enter the log but as commitments. Whoever
 * adds a fact has to say so here. Texts about roles, published files and the record itself name nobody and stay readable.
 */
import type { FactType } from '../facts/fact.ts';

const why = ['reason', 'ticket'] as const;

/** Paths from `data`. */
export const sealedMembers: { readonly [Type in FactType]: readonly string[] } = {
  'postern.principal.joined.v1': why,
  'postern.principal.moved.v1': why,
  'postern.principal.left.v1': why,
  'postern.principal.claimed.v1': [],
  'postern.session.revoked.v1': why,
  'postern.group.changed.v1': why,
  'postern.group.deleted.v1': why,
  'postern.group.claimed.v1': [],
  // The fold reads from a role's reason whether files define it.
  'postern.role.defined.v1': [],
  'postern.role.changed.v1': [],
  'postern.role.retired.v1': [],
  'postern.grant.issued.v1': why,
  'postern.grant.revoked.v1': why,
  'postern.grant.expired.v1': [],
  'postern.grant.requested.v1': why,
  'postern.grant.approved.v1': why,
  'postern.grant.denied.v1': why,
  'postern.grant.withdrawn.v1': why,
  'postern.grant.unanswered.v1': [],
  'postern.birthright.withheld.v1': why,
  'postern.breakglass.opened.v1': why,
  'postern.breakglass.closed.v1': why,
  'postern.breakglass.reviewed.v1': why,
  'postern.review.opened.v1': [],
  'postern.review.listed.v1': [],
  'postern.review.decided.v1': why,
  'postern.review.reminded.v1': [],
  'postern.review.escalated.v1': [],
  'postern.review.closed.v1': [],
  'postern.object.related.v1': why,
  'postern.object.unrelated.v1': why,
  'postern.object.claimed.v1': [],
  'postern.credential.issued.v1': why,
  'postern.credential.rotated.v1': why,
  'postern.credential.revoked.v1': why,
  'postern.credential.expired.v1': [],
  'postern.credential.expiring.v1': [],
  'postern.schema.published.v1': [],
  'postern.routes.published.v1': [],
  'postern.event.noted.v1': [],
  'postern.event.scheduled.v1': ['event.data.reason'],
  'postern.event.unscheduled.v1': why,
  'postern.event.quarantined.v1': [],
  'postern.event.released.v1': why,
  'postern.enforcement.reached.v1': [],
  'postern.enforcement.late.v1': [],
  'postern.audit.read.v1': [],
  'postern.logging.started.v1': [],
  'postern.logging.stopped.v1': [],
  'postern.logging.degraded.v1': [],
  'postern.subject.erased.v1': [],
  'postern.hold.placed.v1': [],
  'postern.hold.lifted.v1': [],
  'postern.retention.applied.v1': [],
  'postern.retention.pruned.v1': [],
};

/** The text at a path, where there is one. */
export const textAt = (data: unknown, path: string): string | undefined => {
  let at: unknown = data;
  for (const name of path.split('.'))
    at = typeof at === 'object' && at !== null ? (at as Readonly<Record<string, unknown>>)[name] : undefined;
  return typeof at === 'string' ? at : undefined;
};

/** The value with another text at a path; what is not there stays absent. */
export const withTextAt = <Value>(data: Value, path: string, text: string): Value => {
  const [name = '', ...rest] = path.split('.');
  if (typeof data !== 'object' || data === null || !(name in data)) return data;
  const inner = (data as Readonly<Record<string, unknown>>)[name];
  return { ...data, [name]: rest.length === 0 ? text : withTextAt(inner, rest.join('.'), text) };
};
