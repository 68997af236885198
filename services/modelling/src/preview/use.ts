/** One recorded call, whatever recorded it: what a preview asks again and what a suggestion is made of. */
import type { CredentialId, DecisionRecord, PrincipalId } from '@postern/schemas';

export type Subject = PrincipalId | CredentialId;
export type Use = {
  /** RFC 3339. */
  readonly at: string;
  /** All of them must be allowed: the principal, the credential it showed, whoever acts for it. Empty without a credential. */
  readonly subjects: readonly Subject[];
  readonly method: string;
  readonly path: string;
  /** As recorded; an access log knows none. */
  readonly endpoint?: string | undefined;
  readonly ip?: string | undefined;
  readonly country?: string | undefined;
  /** It got through: allowed, or observed. An access log cannot say why something failed. */
  readonly allowed: boolean;
  readonly observed?: boolean;
};

export type ReadUse =
  | { readonly outcome: 'use'; readonly use: Use }
  | { readonly outcome: 'left-out'; readonly why: string };

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
const leftOut = (why: string): ReadUse => ({ outcome: 'left-out', why });

/** A decision, or a row of the audit API with the decision as its `body`. */
export const useOfDecision = (value: unknown): ReadUse => {
  const record = (
    typeof value === 'object' && value !== null && 'body' in value ? value.body : value
  ) as DecisionRecord;
  if (typeof record?.method !== 'string' || typeof record.path !== 'string' || typeof record.at !== 'string')
    return leftOut('not a decision');
  const { at, outcome, reason, principal, credential, actors, method, path, endpoint, ip, country, observed } = record;
  if (outcome === 'unavailable' || (outcome === 'deny' && !ofPermissions.has(reason ?? '')))
    return leftOut(`refused for another reason than permissions (${reason ?? outcome})`);
  if (path.length >= pathLengthMax) return leftOut('path cut in the record');
  const subjects = [principal, credential, ...(actors ?? [])].filter((each) => each !== undefined) as Subject[];
  return {
    outcome: 'use',
    use: {
      at,
      subjects,
      method,
      path,
      endpoint,
      ip,
      country,
      allowed: outcome === 'allow',
      ...(observed !== undefined && { observed: true }),
    },
  };
};

export type Lines = AsyncIterable<string>;

/** Reads NDJSON of decisions, or an access log where `parse` is its parser. Streams: a line is forgotten once it has been told. */
export async function* readUses(
  lines: Lines,
  parse: (line: string) => ReadUse = fromJsonLine,
): AsyncGenerator<ReadUse> {
  for await (const line of lines) if (line.trim() !== '') yield parse(line);
}

export const fromJsonLine = (line: string): ReadUse => {
  try {
    return useOfDecision(JSON.parse(line));
  } catch {
    return leftOut('not JSON');
  }
};
