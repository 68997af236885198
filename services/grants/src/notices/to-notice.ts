/**
 * What others are told of a fact: an event of the same id and type with ids, roles and times in it, and nothing that people wrote or that
 * is said of them. A member that is not named here is not told.
 */
import type { Fact, FactOf, FactType, NoticeSubscription } from '@postern/schemas';

type Told = { readonly [Type in FactType]: readonly (keyof FactOf<Type>['data'])[] | undefined };

/** Undefined: nobody outside has anything to do with it. */
const told = {
  'postern.principal.joined.v1': ['principal'],
  'postern.principal.moved.v1': ['principal'],
  'postern.principal.left.v1': ['principal'],
  'postern.principal.claimed.v1': undefined,
  'postern.session.revoked.v1': ['principal', 'before'],
  'postern.group.changed.v1': ['group', 'add', 'remove'],
  'postern.group.deleted.v1': ['group'],
  'postern.group.claimed.v1': undefined,
  'postern.role.defined.v1': ['role'],
  'postern.role.changed.v1': ['role'],
  'postern.role.retired.v1': ['role'],
  'postern.grant.issued.v1': ['grant', 'subject', 'role', 'origin', 'request', 'breakGlass', 'replaces'],
  'postern.grant.revoked.v1': ['grant', 'subject', 'role', 'review'],
  'postern.grant.expired.v1': ['grant', 'subject', 'role', 'until'],
  'postern.grant.requested.v1': ['request', 'subject', 'role', 'requester', 'duration', 'extends', 'answerBy'],
  'postern.grant.approved.v1': ['request', 'subject', 'role', 'by', 'as'],
  'postern.grant.denied.v1': ['request', 'subject', 'role', 'by', 'as'],
  'postern.grant.withdrawn.v1': ['request', 'subject', 'role'],
  'postern.grant.unanswered.v1': ['request', 'subject', 'role', 'answerBy'],
  'postern.birthright.withheld.v1': ['principal', 'role', 'because'],
  'postern.breakglass.opened.v1': ['use', 'subject', 'role', 'grant', 'as', 'until'],
  'postern.breakglass.closed.v1': ['use', 'subject', 'role', 'because'],
  'postern.breakglass.reviewed.v1': ['use', 'subject', 'role', 'by', 'as', 'verdict'],
  'postern.review.opened.v1': ['review', 'frozenAt', 'reviewer', 'escalateTo', 'reminds', 'escalates', 'due', 'items'],
  'postern.review.listed.v1': undefined,
  'postern.review.decided.v1': ['review', 'grant', 'subject', 'role', 'decision', 'by', 'as', 'until'],
  'postern.review.reminded.v1': ['review', 'reviewer', 'open'],
  'postern.review.escalated.v1': ['review', 'to', 'open'],
  'postern.review.closed.v1': ['review', 'kept', 'revoked', 'shortened', 'gone'],
  'postern.object.related.v1': ['object', 'relation', 'subject'],
  'postern.object.unrelated.v1': ['object', 'relation', 'subject'],
  'postern.object.claimed.v1': undefined,
  'postern.credential.issued.v1': ['credential', 'owner', 'until', 'replaces'],
  'postern.credential.rotated.v1': ['credential', 'successor', 'until'],
  'postern.credential.revoked.v1': ['credential'],
  'postern.credential.expired.v1': ['credential', 'until'],
  'postern.credential.expiring.v1': ['credential', 'owner', 'until'],
  'postern.schema.published.v1': undefined,
  'postern.routes.published.v1': undefined,
  'postern.event.noted.v1': undefined,
  'postern.event.scheduled.v1': undefined,
  'postern.event.unscheduled.v1': undefined,
  // What lies there, and why, may name a person: its id is enough to look it up.
  'postern.event.quarantined.v1': [],
  'postern.event.released.v1': ['quarantined', 'outcome'],
  'postern.enforcement.reached.v1': ['reached', 'proxies', 'lapsed'],
  'postern.enforcement.late.v1': ['reached', 'waitingFor'],
  'postern.audit.read.v1': ['what', 'readings', 'rows'],
  'postern.logging.started.v1': ['instance', 'facts', 'decisions'],
  'postern.logging.stopped.v1': ['instance', 'facts', 'decisions'],
  'postern.logging.degraded.v1': ['instance', 'since', 'until'],
  // Whoever keeps copies has to erase theirs.
  'postern.subject.erased.v1': ['subject'],
  'postern.hold.placed.v1': ['hold', 'on'],
  'postern.hold.lifted.v1': ['hold'],
  'postern.retention.applied.v1': ['facts', 'decisions'],
  'postern.retention.pruned.v1': ['log', 'from', 'before', 'until'],
} as const satisfies Told;

export const noticeTypes: readonly FactType[] = (Object.keys(told) as FactType[]).filter(
  (type) => told[type] !== undefined,
);

/** `postern.review.*` stands for all that begin so. */
export const typeFits = (written: string, type: string): boolean =>
  written === type || (written.endsWith('*') && type.startsWith(written.slice(0, -1)));

/** A CloudEvent. */
export type Notice = {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time: string;
  readonly sequence: string;
  /** Who caused it. */
  readonly authtype?: string;
  readonly authid?: string;
  readonly datacontenttype: 'application/json';
  readonly data: Readonly<Record<string, unknown>>;
};

/** Undefined where the subscription is not told of it. The same fact is the same notice whenever it is asked for. */
export const toNotice = (
  fact: Fact,
  { types, roles }: Pick<NoticeSubscription, 'types' | 'roles'>,
): Notice | undefined => {
  const members: readonly string[] | undefined = told[fact.type];
  if (members === undefined || types?.some((written) => typeFits(written, fact.type)) === false) return undefined;
  const given: Readonly<Record<string, unknown>> = fact.data;
  if (roles !== undefined && !roles.some((role) => role === given['role'])) return undefined;
  const { id, source, type, subject, time, sequence, authtype, authid } = fact;
  return {
    specversion: '1.0',
    id,
    source,
    type,
    ...(subject !== undefined && { subject }),
    time,
    sequence,
    authtype,
    authid,
    datacontenttype: 'application/json',
    data: Object.fromEntries(members.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]]))),
  };
};
