/**
 * Every failure that a person or a program can meet, in one table: code, HTTP status, public title.
 * Each has an entry in docs/failure-modes.md (a test holds the two together). RFC 9457 gives the wire form.
 */
export type ProblemSpec = { readonly status: number; readonly title: string };

export const problems = {
  // proxy: what a caller of a protected API meets
  'proxy/no-credential': { status: 401, title: 'This API asks for a credential and the request carries none' },
  'proxy/bad-credential': { status: 401, title: 'The credential is not valid here' },
  'proxy/two-credentials': { status: 400, title: 'The request carries two different credentials' },
  'proxy/denied': { status: 403, title: 'You do not hold the permission this endpoint asks for' },
  'proxy/ambiguous-request': { status: 400, title: 'The request can be read in more than one way' },
  'proxy/unclear-operation': { status: 400, title: 'What the request calls cannot be told without doubt' },
  'proxy/method-not-supported': { status: 405, title: 'The gate does not pass this method' },
  'proxy/body-too-large': { status: 413, title: 'The request body is larger than this service allows' },
  'proxy/cannot-decide': { status: 503, title: 'The gate cannot decide now, so it refuses' },
  'proxy/stale': { status: 503, title: 'The gate has not heard from the log in time, so it trusts no decision' },
  'proxy/not-ready': { status: 503, title: 'The gate is still catching up with the log' },
  'proxy/recording-full': { status: 503, title: 'Decisions cannot be recorded, so no request is let through' },
  'proxy/rate-limited': { status: 429, title: 'You have called this service as often as you may for now' },
  'proxy/head-too-large': { status: 431, title: 'The head of the request is larger than the gate reads' },
  'proxy/request-timeout': { status: 408, title: 'The request did not come in time' },
  'proxy/no-upstream': { status: 503, title: 'No target of the API behind the gate is fit to be called' },
  'proxy/upstream-unreachable': { status: 502, title: 'The API behind the gate does not answer' },
  'proxy/upstream-unreadable': { status: 502, title: 'The answer of the API cannot be read, so it is not passed on' },
  'proxy/upstream-timeout': { status: 504, title: 'The API behind the gate took too long' },
  // authorizer
  'authorizer/bad-question': { status: 400, title: 'The question cannot be read' },
  'authorizer/behind': { status: 503, title: 'The authorizer has not reached the sequence asked for' },
  'authorizer/engine-unreachable': { status: 503, title: 'The relationship engine does not answer' },
  'authorizer/schema-refused': { status: 422, title: 'The relationship engine refuses the published schema' },
  'authorizer/relationship-refused': {
    status: 422,
    title: 'The relationship engine refuses a relationship that its schema does not know',
  },
  'authorizer/engine-ahead': {
    status: 500,
    title: 'The relationship engine holds more than the log: it is not of this log',
  },
  'authorizer/unreadable-fact': { status: 500, title: 'The log holds a fact that this version cannot read' },
  // console
  'console/sign-in-refused': { status: 400, title: 'This sign-in does not hold' },
  'console/issuer-unreachable': { status: 502, title: 'The issuer does not answer as an OpenID provider does' },
  'console/not-renewed': { status: 409, title: 'The session is not renewed' },
  'console/clear-line': { status: 400, title: 'Nobody signs in over a clear line' },
  'console/not-built': { status: 503, title: 'The page of the console has not been built' },
  // grants: commands and inbound events
  'grants/bad-request': { status: 400, title: 'The request cannot be read' },
  'grants/bad-event': { status: 400, title: 'The event is not a CloudEvent that this gate can read' },
  'grants/unknown-event-type': { status: 422, title: 'No rule says what this event type means' },
  'grants/unknown-principal': { status: 422, title: 'No such principal has joined' },
  'grants/never-met': { status: 422, title: 'Nobody could ever meet these conditions' },
  'grants/unknown-role': { status: 422, title: 'No such role is defined' },
  'grants/unknown-grant': { status: 404, title: 'No such grant is live' },
  'grants/unknown-credential': { status: 404, title: 'No such credential is live' },
  'grants/unknown-group': { status: 422, title: 'No such group exists' },
  'grants/unknown-relation': { status: 422, title: 'The published schema knows no such relation between these types' },
  'grants/group-cycle': { status: 422, title: 'The group would contain itself' },
  'grants/already-joined': { status: 409, title: 'The principal has joined already' },
  'grants/has-left': { status: 409, title: 'The principal has left' },
  'grants/separation-of-duties': {
    status: 409,
    title: 'The role may not be held together with another that the subject holds',
  },
  'grants/not-requestable': { status: 422, title: 'Nobody approves this role, so it cannot be asked for' },
  'grants/no-approver': { status: 422, title: 'There is nobody who could approve this' },
  'grants/already-held': { status: 409, title: 'The subject holds the role already' },
  'grants/already-asked': { status: 409, title: 'The same was asked for before and waits for its answer' },
  'grants/not-to-extend': { status: 409, title: 'The grant is none that can be extended' },
  'grants/unknown-request': { status: 404, title: 'No such request is known' },
  'grants/request-closed': { status: 409, title: 'The request is no longer open' },
  'grants/oneself': { status: 403, title: 'Nobody decides about their own access' },
  'grants/not-your-decision': { status: 403, title: 'The rule leaves this decision to others' },
  'grants/no-break-glass': { status: 403, title: 'The role is not yours to take in an emergency' },
  'grants/unknown-break-glass': { status: 404, title: 'No such use of break-glass is known' },
  'grants/unknown-review': { status: 404, title: 'No such review is known' },
  'grants/review-closed': { status: 409, title: 'The review is closed' },
  'grants/not-under-review': { status: 422, title: 'The grant waits for no decision in this review' },
  'grants/nothing-to-review': { status: 422, title: 'The review would be about nothing' },
  'grants/record-unreachable': { status: 503, title: 'The record cannot be asked what was used' },
  'grants/already-rotated': { status: 409, title: 'The key has a successor already' },
  'grants/too-long': { status: 422, title: 'The grant lasts longer than its role allows' },
  'grants/too-many-conditions': {
    status: 422,
    title: 'The conditions of this subject and role are too many for one relationship',
  },
  'grants/event-conflict': { status: 409, title: 'An event with this source and id came before, with other content' },
  'grants/idempotency-conflict': { status: 409, title: 'This Idempotency-Key was used before, for another request' },
  'grants/bad-mapping': { status: 422, title: 'What feeds.yaml makes of the event is no event that counts here' },
  'grants/unknown-mapping': { status: 404, title: 'feeds.yaml has no rule of this name' },
  'grants/not-tried': {
    status: 503,
    title: 'An earlier event of the batch met a failure of ours, so this one was not tried',
  },
  'grants/not-scheduled': { status: 404, title: 'No such event waits' },
  'grants/unknown-quarantined': { status: 404, title: 'Nothing of this id is in quarantine' },
  'grants/quarantine-incomplete': {
    status: 500,
    title: 'The original bytes of a quarantined event are not where they were kept',
  },
  'grants/keys-away': { status: 503, title: 'The keys of the transmitter cannot be read now' },
  'grants/unresolved-subject': { status: 422, title: 'It is not known whom the security event means' },
  'grants/unknown-subscription': { status: 404, title: 'No subscription to notices of this name is configured' },
  'grants/unknown-stream': { status: 404, title: 'No transmitter of this name is configured' },
  'grants/stream-not-verified': { status: 504, title: 'The transmitter sent no verification event in time' },
  'grants/contended': { status: 503, title: 'Other writers were faster each time; try again' },
  'grants/not-enforced-yet': {
    status: 504,
    title: 'The change is in the log, but not every proxy has confirmed it in time',
  },
  'grants/scim-invalid': { status: 400, title: 'The SCIM request cannot be carried out as it is' },
  'grants/scim-not-found': { status: 404, title: 'There is no such SCIM resource' },
  'grants/scim-method': { status: 405, title: 'This SCIM endpoint does not take the method' },
  'grants/scim-uniqueness': { status: 409, title: 'Another SCIM resource has this name or id' },
  'grants/scim-precondition-failed': { status: 412, title: 'The SCIM resource has changed since it was read' },
  'grants/scim-too-large': { status: 413, title: 'The SCIM request is larger than this service provider takes' },
  'grants/scim-not-implemented': { status: 501, title: 'This part of SCIM is not served here' },
  'grants/disk-full': { status: 507, title: 'The disk of names and texts is full' },
  'grants/profiles-unreachable': { status: 503, title: 'The store of SCIM profiles does not answer' },
  'grants/still-active': { status: 409, title: 'Somebody whose access has not ended is not erased' },
  'grants/held': { status: 409, title: 'A legal hold keeps it' },
  'grants/unknown-hold': { status: 404, title: 'No legal hold of this id stands' },
  'grants/fact-too-large': { status: 413, title: 'The change does not fit one log entry' },
  // audit
  'audit/bad-query': { status: 400, title: 'The query cannot be read' },
  'audit/no-such-record': { status: 404, title: 'The record holds no such entry' },
  'audit/fact-unreadable': { status: 501, title: 'The record holds a fact that this version cannot read' },
  'audit/pruned': { status: 410, title: 'The record no longer holds this: it was pruned under the published policy' },
  'audit/held': { status: 409, title: 'A legal hold keeps what would be pruned' },
  'audit/no-retention': { status: 409, title: 'No policy says that anything may be pruned' },
  'audit/not-at-head': { status: 409, title: 'The store has grown since; append at its head' },
  'audit/append-only': { status: 409, title: 'The record is append-only' },
  'audit/gap': { status: 500, title: 'Entries are missing between the log and the record' },
  'audit/record-altered': { status: 500, title: 'The record is not what was signed' },
  'audit/record-behind': { status: 503, title: 'The record holds less than was signed' },
  'audit/reading-unrecorded': { status: 503, title: 'Who reads the record cannot be recorded' },
  'audit/too-many-followers': { status: 503, title: 'As many follow the decisions as the audit room serves' },
  'audit/store-unreachable': { status: 503, title: 'The audit store does not answer' },
  // event log
  'event-log/unreachable': { status: 503, title: 'The event log does not answer' },
  'event-log/truncated': { status: 500, title: 'The event log no longer holds what this reader has not read yet' },
  'event-log/in-use': { status: 500, title: 'Another process has this data folder open' },
  'event-log/disk-full': { status: 507, title: 'The disk is full' },
  'event-log/corrupt': { status: 500, title: 'The log file cannot be read' },
  'event-log/unfit-topic': { status: 500, title: 'The topic cannot keep what the event log promises' },
  'event-log/outcome-unknown': {
    status: 503,
    title: 'The log did not confirm the write; it may or may not have happened',
  },
  // runtime: starting, configuring, talking to the admin API
  'runtime/bad-config': { status: 500, title: 'The configuration cannot be used' },
  'runtime/bad-certificate': { status: 500, title: 'A certificate, or its key, cannot be used' },
  'runtime/port-in-use': { status: 500, title: 'The address is in use by another process' },
  'runtime/bad-assertion': { status: 401, title: "The request does not carry the gate's own assertion" },
  'runtime/not-found': { status: 404, title: 'Nothing is served at this path' },
  'runtime/bad-request': { status: 400, title: 'The request cannot be read' },
  'runtime/internal': { status: 500, title: 'Something failed that has no name yet' },
} as const satisfies Record<string, ProblemSpec>;

export type ProblemCode = keyof typeof problems;

export type ProblemOptions = {
  /** One sentence: what happened here, to what. Public. */
  readonly detail?: string;
  /** One sentence: what to do about it. Public. */
  readonly fix?: string;
  /** Further public members of the problem document. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Stays inside: for the log, never for the caller. */
  readonly cause?: unknown;
};

/** A failure with a code from {@link problems}. `message` is made of the public parts only. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly fix: string | undefined;
  readonly members: Readonly<Record<string, unknown>>;
  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super([problems[code].title, options.detail, options.fix].filter(Boolean).join(': '), { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.detail = options.detail;
    this.fix = options.fix;
    this.members = options.members ?? {};
  }
  get status(): number {
    return problems[this.code].status;
  }
}

/** A problem as plain data: instances of classes do not cross threads. */
export type ProblemInTransit = {
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly fix: string | undefined;
  readonly members: Readonly<Record<string, unknown>>;
};
export const problemInTransit = ({ code, detail, fix, members }: Problem): ProblemInTransit => ({
  code,
  detail,
  fix,
  members,
});
export const arrivedProblem = ({ code, detail, fix, members }: ProblemInTransit): Problem =>
  new Problem(code, { ...(detail !== undefined && { detail }), ...(fix !== undefined && { fix }), members });

export const isProblem = (error: unknown, code?: ProblemCode): error is Problem =>
  error instanceof Problem && (code === undefined || error.code === code);

/** The problem document of RFC 9457; `type` is a stable URN, resolvable in docs/failure-modes.md by its code. */
export const toProblemDocument = (problem: Problem): Record<string, unknown> => ({
  type: `urn:postern:problem:${problem.code}`,
  title: problems[problem.code].title,
  status: problem.status,
  ...(problem.detail !== undefined && { detail: problem.detail }),
  ...(problem.fix !== undefined && { fix: problem.fix }),
  ...problem.members,
});
