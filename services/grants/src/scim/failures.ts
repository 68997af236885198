/** Refusals in SCIM's words: `scimType` (RFC 7644 §3.12) goes with the problem, whose code stays the one of the catalogue. */
import { Problem, type ProblemCode } from '@postern/schemas';

export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount';

export const refuse = (scimType: ScimType, detail: string, cause?: unknown): Problem =>
  new Problem('grants/scim-invalid', { detail, members: { scimType }, cause });
export const notUnique = (detail: string, fix?: string): Problem =>
  new Problem('grants/scim-uniqueness', {
    detail,
    ...(fix !== undefined && { fix }),
    members: { scimType: 'uniqueness' },
  });
export const notFound = (detail: string): Problem => new Problem('grants/scim-not-found', { detail });
export const changedSince = (detail: string): Problem => new Problem('grants/scim-precondition-failed', { detail });

/** Refusals of the commands, where SCIM has a word of its own for them. */
const scimTypes: Partial<Record<ProblemCode, ScimType>> = {
  'grants/group-cycle': 'invalidValue',
  'grants/unknown-principal': 'invalidValue',
  'grants/unknown-group': 'invalidValue',
  'grants/bad-request': 'invalidValue',
};

export const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** SCIM's error has no place for it: the problem's code, as docs/failure-modes.md has it. */
export const codeHeader = 'postern-problem';

/** `status` is text in SCIM. What a command refused as unprocessable is a bad value to a client of SCIM. */
export const errorBody = (problem: Problem): Readonly<Record<string, unknown>> & { readonly status: string } => {
  const { code, detail, fix, members } = problem;
  const scimType = members['scimType'] ?? scimTypes[code];
  const status = scimTypes[code] !== undefined ? 400 : problem.status;
  return {
    schemas: [errorUrn],
    status: String(status),
    ...(scimType !== undefined && { scimType }),
    detail: [detail ?? problem.message, fix].filter((each) => each !== undefined).join(': '),
  };
};
