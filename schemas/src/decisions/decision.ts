/** Questions to the decision point, its answers, and the record of what the gate did with them. */
import { z } from 'zod';
import type { ContextField } from '../conditions.ts';
import type { CredentialId, EndpointId, PrincipalId, Sequence } from '../ids.ts';

/** What a caller's circumstances are: the caveat's parameters, spelled by us and never by the caller. */
export type Context = {
  /** RFC 3339, UTC, whole seconds. */
  readonly now: string;
  /** Unmapped: never `::ffff:…`. Absent where it is not known. */
  readonly ip?: string;
  /** ISO 3166 alpha-2. Absent where it is not known: then a country condition is unmet. */
  readonly country?: string;
  /** Claim of the verified token; absent where it has none: then a condition on it is unmet. */
  readonly acr?: string;
  /** Claim of the verified token: each method once, in order of their names. */
  readonly amr?: readonly string[];
};

/** `employee:42` and `view`: an object of the published schema, and a permission on it. */
export type ObjectQuestion = { readonly resource: string; readonly permission: string };

export const objectText = ({ resource, permission }: ObjectQuestion): string => `${resource}#${permission}`;

/**
 * May all of `subjects` call `endpoint`, and do all of them hold every one of `objects`? A credential's question names the
 * credential and its owner, a delegated one every link of the chain: the answer is the intersection, judged on one snapshot.
 */
export type Question = {
  readonly subjects: readonly (PrincipalId | CredentialId)[];
  readonly endpoint: EndpointId;
  readonly objects?: readonly ObjectQuestion[];
  readonly context: Context;
  /** The answer must rest on at least this much of the log. */
  readonly atLeast: Sequence;
};

/** Only `allow` allows. */
export type Answer =
  | { readonly outcome: 'allow'; readonly sequence: Sequence; readonly dependsOn: readonly ContextField[] }
  | {
      readonly outcome: 'deny';
      readonly reason: 'no-grant' | 'condition-unmet' | 'context-missing';
      readonly sequence: Sequence;
      readonly dependsOn: readonly ContextField[];
    }
  | { readonly outcome: 'unavailable'; readonly reason: 'engine-unreachable' | 'behind' | 'timeout' | 'bad-context' };

export const permits = (answer: Answer): boolean => answer.outcome === 'allow';

/** The decision point, wherever it runs. Answers come in the order of the questions; it never rejects. */
export type DecisionPoint = { readonly decide: (questions: readonly Question[]) => Promise<readonly Answer[]> };

export const refusalReasons = [
  'no-credential',
  'bad-credential',
  'two-credentials',
  'ambiguous-request',
  'method-not-supported',
  'no-such-endpoint',
  'no-grant',
  'condition-unmet',
  'context-missing',
  'scope-missing',
  'session-revoked',
  'cannot-decide',
  'stale',
  'not-ready',
  'recording-full',
  'rate-limited',
  'cut',
] as const;

const scopesRecordedMax = 100;
const scopeCharactersMax = 2_000;

/** A token's scopes as they are written down: each once, in order, as many as there is room for; and how many there are beyond. */
export const recordedScopes = (scopes: readonly string[]): { scopes: string[]; scopesBeyond?: number } => {
  const all = [...new Set(scopes)].sort();
  let characters = 0;
  const kept: string[] = [];
  for (const scope of all) {
    characters += scope.length;
    if (kept.length >= scopesRecordedMax || characters > scopeCharactersMax) break;
    kept.push(scope);
  }
  return { scopes: kept, ...(all.length > kept.length && { scopesBeyond: all.length - kept.length }) };
};

/** One request at the gate, as recorded: allowed or refused, before any byte reached the API. */
export const DecisionRecord = z.strictObject({
  /** The `Postern-Decision` header of the response. */
  id: z.string().min(1).max(100),
  at: z.iso.datetime({ offset: true }),
  outcome: z.enum(['allow', 'deny', 'unavailable']),
  reason: z.enum(refusalReasons).optional(),
  /** It passed, because its service is only observed; enforced, it would have been refused for this. */
  observed: z.enum(['no-grant', 'condition-unmet', 'scope-missing']).optional(),
  /** HTTP status that the gate answered; 0 where the API answered. */
  refusedWith: z.number().int().optional(),
  principal: z.string().optional(),
  credential: z.string().optional(),
  actors: z.array(z.string()).optional(),
  service: z.string().optional(),
  endpoint: z.string().optional(),
  /** One request may call several operations: the others, beside `endpoint`. */
  also: z.array(z.string()).max(100).optional(),
  /** What else was asked: `employee:42#view`. */
  objects: z.array(z.string()).optional(),
  /** OAuth scopes that the token was delegated, each once, in order; absent where it was not delegated. See {@link recordedScopes}. */
  scopes: z.array(z.string()).max(scopesRecordedMax).optional(),
  /** Further scopes of the token that the record has no room for. */
  scopesBeyond: z.number().int().positive().optional(),
  /** Claims of the token that conditions look at; absent where it has none. */
  acr: z.string().optional(),
  amr: z.array(z.string()).optional(),
  /** Another gateway asked, and was answered; what it then did is not known here. */
  via: z.enum(['forward', 'ext-authz']).optional(),
  method: z.string().max(40),
  /** The canonical path without its query; cut at 2,000 characters. */
  path: z.string().max(2100),
  ip: z.string().optional(),
  country: z.string().optional(),
  /** The log position the decision rests on. */
  sequence: z.number().int().nonnegative().optional(),
  cached: z.boolean().optional(),
  trace: z.string().optional(),
  /** For `cut`: the decision that was ended. */
  ends: z.string().optional(),
});
export type DecisionRecord = z.infer<typeof DecisionRecord>;

/** Many decisions in one log record. (instance, batch) is dense, so a gap is proof of loss. */
export const DecisionBatch = z.strictObject({
  v: z.literal(1),
  instance: z.string().min(1).max(100),
  batch: z.number().int().positive(),
  decisions: z.array(DecisionRecord).min(1),
});
export type DecisionBatch = z.infer<typeof DecisionBatch>;

/** A batch is one tlog entry: below 65,535 bytes. */
export const decisionBatchBytesMax = 60_000;

/** What a proxy tells everyone, every beat: who it is, which sequence it enforces, the key it signs assertions with. */
export const Heartbeat = z.strictObject({
  instance: z.string().min(1).max(100),
  state: z.enum(['starting', 'serving', 'stopped']),
  /** The highest sequence whose consequences this proxy has applied. */
  enforces: z.number().int().nonnegative(),
  /** How long after this beat was sent the proxy may still serve without another, in ms. */
  leaseMs: z.number().int().positive(),
  at: z.iso.datetime({ offset: true }),
  /** Public Ed25519 JWK of its assertions, with `kid`. */
  jwk: z.record(z.string(), z.unknown()),
});
export type Heartbeat = z.infer<typeof Heartbeat>;
