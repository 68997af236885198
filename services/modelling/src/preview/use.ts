/** One recorded call, whatever recorded it: what a preview asks again and what a suggestion is made of. */
import type { Context, CredentialId, DecisionRecord, PrincipalId } from '@postern/schemas';

export type Subject = PrincipalId | CredentialId;
export type Use = {
  /** RFC 3339. */
  readonly at: string;
  /** All of them must be allowed: the principal, the credential it showed, whoever acts for it. Empty without a credential. */
  readonly subjects: readonly Subject[];
  readonly method: string;
  readonly path: string;
  /** As recorded, the first of them and any further operations of the same request; an access log knows none. */
  readonly endpoint?: string | undefined;
  readonly also?: readonly string[] | undefined;
  /** What was asked besides the endpoints: `employee:42#view`. */
  readonly objects?: readonly string[] | undefined;
  /** What the token was delegated; undefined where it was not, and in an access log. */
  readonly scopes?: readonly string[] | undefined;
  /** Further scopes that the record has no room for. */
  readonly scopesBeyond?: number | undefined;
  /** It got through: allowed, or observed. An access log cannot say why something failed. */
  readonly allowed: boolean;
  readonly observed?: boolean;
} & { readonly [Field in 'ip' | 'country' | 'acr' | 'amr']?: Context[Field] | undefined };

export type LeftOut = {
  readonly outcome: 'left-out';
  readonly why: string;
  /** Where it stands and how it begins, so that whoever reads the report can look it up. */
  readonly example?: string;
};
export type ReadUse = { readonly outcome: 'use'; readonly use: Use } | LeftOut;

export const leftOut = (why: string): LeftOut => ({ outcome: 'left-out', why });

/** Refusals that rest on permissions; the others (a bad credential, a gate that was not ready) no model changes. */
const ofPermissions: ReadonlySet<string> = new Set([
  'no-credential',
  'no-such-endpoint',
  'no-grant',
  'condition-unmet',
  'context-missing',
  'scope-missing',
]);
/** The gate cuts longer ones, so they cannot be matched again. */
const pathLengthMax = 2_000;

export const useOfDecision = (record: Partial<DecisionRecord>): ReadUse => {
  const { at, outcome, reason, principal, credential, actors, method, path, observed } = record;
  if (typeof method !== 'string' || typeof path !== 'string' || typeof at !== 'string' || Number.isNaN(Date.parse(at)))
    return leftOut('not a decision');
  if (outcome === 'unavailable' || (outcome === 'deny' && !ofPermissions.has(reason ?? '')))
    return leftOut(`refused for another reason than permissions (${reason ?? outcome})`);
  if (path.length >= pathLengthMax) return leftOut('path cut in the record');
  if (reason === 'scope-missing' && record.scopes === undefined)
    return leftOut('a record from before scopes were written down');
  const { endpoint, also, objects, ip, country, acr, amr, scopes, scopesBeyond } = record;
  const subjects = [principal, credential, ...(actors ?? [])].filter((each) => each !== undefined) as Subject[];
  return {
    outcome: 'use',
    use: {
      ...{ at, subjects, method, path, endpoint, also, objects, ip, country, acr, amr, scopes, scopesBeyond },
      allowed: outcome === 'allow',
      ...(observed !== undefined && { observed: true }),
    },
  };
};
