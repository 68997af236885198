/** What somebody is and holds, as the facts so far say. */
import type { Conditions } from '../conditions.ts';
import type { Attributes } from '../facts/principal.ts';
import type { RoleRules } from '../facts/role.ts';
import type { CredentialId, GrantId, PrincipalId, RequestId, RoleName, Sequence, SubjectId } from '../ids.ts';
import type { ClaimTime } from './claims.ts';

export type Principal = {
  readonly id: PrincipalId;
  readonly attributes: Attributes;
  readonly state: 'active' | 'left';
  /** The sequence of the fact that put it in this state. */
  readonly since: Sequence;
  /** When the newest joined claim takes effect, and when it was said. */
  readonly joined: ClaimTime;
  /** The sources that said they left, since they joined; each once. A command names none and stands as "here". */
  readonly leftBy: readonly string[];
  /** RFC 3339: when a move was last recorded. */
  readonly moved?: string;
};
export type Grant = {
  readonly id: GrantId;
  readonly subject: SubjectId;
  readonly role: RoleName;
  readonly conditions?: Conditions;
  readonly origin: 'direct' | 'birthright' | 'key' | 'break-glass';
  readonly reason: string;
  readonly issuedAt: Sequence;
  /** RFC 3339: when it was recorded. */
  readonly issued: string;
  readonly by: string;
  readonly ticket?: string;
  /** The request it answers, and who approved that as what. */
  readonly request?: RequestId;
  readonly approvals?: readonly { readonly by: PrincipalId; readonly as: string }[];
  /** The grant whose place it took. */
  readonly replaces?: GrantId;
};
export type Credential = {
  readonly id: CredentialId;
  readonly owner: PrincipalId;
  readonly digest: string;
  readonly until?: string;
  readonly issued: string;
  /** Who was shown the secret. */
  readonly by: string;
  /** The key that takes its place. */
  readonly successor?: CredentialId;
  /** It has been said that its end is near. */
  readonly warned?: boolean;
};

/** The part of the organisation that the life of access looks at. */
export type Standing = {
  readonly principals: ReadonlyMap<PrincipalId, Principal>;
  readonly roles: ReadonlyMap<RoleName, RoleRules>;
  readonly grants: ReadonlyMap<GrantId, Grant>;
  readonly life: { readonly reviews: { readonly lookedAt: (grant: GrantId) => Sequence | undefined } };
};
