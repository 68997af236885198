/** What a refused caller is told: the code, the decision to look up, and, to whom it may say so, what would be needed. */
import { Problem, type ProblemCode, toProblemDocument } from '@postern/schemas';
import type { Challenge } from './identify/identity.ts';
import type { MissingOnObject } from './needed.ts';

export type Refusal = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type RefusalDetail = {
  readonly decision: string;
  readonly detail?: string;
  readonly fix?: string;
  /** Role names, for a 403 to a principal that the organisation knows. */
  readonly needed?: readonly string[];
  /** What was asked besides the endpoint, told to whom the roles are told. */
  readonly objects?: readonly string[] | undefined;
  /** Where the endpoint is open and an object is not: what would open it. */
  readonly missing?: readonly MissingOnObject[];
  /** OAuth scopes, for a delegated token that lacks them. */
  readonly scopes?: readonly string[];
  readonly retryAfterSeconds?: number;
  /** Further headers, name and value by turns. */
  readonly headers?: readonly string[];
  /** How to come back, where it is not with a Bearer token. */
  readonly challenge?: Challenge | undefined;
};

/** Why recording forbids it, for whoever is refused for that. */
export const recordingRefused = ({ full }: { readonly full: () => string | undefined }): { detail?: string } => {
  const why = full();
  return why === undefined ? {} : { detail: `Nothing passes unrecorded: ${why}.` };
};

export const toRefusal = (
  code: ProblemCode,
  {
    decision,
    detail,
    fix,
    needed = [],
    objects,
    missing = [],
    scopes,
    retryAfterSeconds = 1,
    challenge,
    headers = [],
  }: RefusalDetail,
): Refusal => {
  const problem = new Problem(code, {
    ...(detail !== undefined && { detail }),
    ...(fix !== undefined && { fix }),
    members: {
      decision,
      ...(objects !== undefined && { objects }),
      ...(scopes !== undefined && { scopes }),
      ...(needed.length > 0 && {
        needed,
        howToAsk: `Ask whoever administers access for one of these roles, and quote the decision ${decision}.`,
      }),
      ...(missing.length > 0 && {
        missing,
        howToAsk: `Ask whoever administers access to be put into one of these relations of the object, or for one of these roles, and quote the decision ${decision}.`,
      }),
    },
  });
  const { status } = problem;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 401 && {
        'www-authenticate':
          challenge?.authenticate ?? (code === 'proxy/bad-credential' ? 'Bearer error="invalid_token"' : 'Bearer'),
        ...(challenge?.dpopNonce !== undefined && { 'dpop-nonce': challenge.dpopNonce }),
      }),
      // RFC 6750 §3.1.
      ...(scopes !== undefined && {
        'www-authenticate': `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"`,
      }),
      ...((status === 503 || status === 429) && { 'retry-after': String(retryAfterSeconds) }),
      ...(status === 405 && { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY' }),
      ...named(headers),
    },
    body: JSON.stringify(toProblemDocument(problem)),
  };
};

const named = (headers: readonly string[]): Record<string, string> => {
  const object: Record<string, string> = {};
  for (let at = 0; at + 1 < headers.length; at += 2) object[headers[at] ?? ''] = headers[at + 1] ?? '';
  return object;
};
