/** API keys: narrower than their owner. A key's own roles are its scopes; both the owner and the key must hold what is asked. */
import type { GrantId } from '@postern/schemas';
import type { Decider } from './command.ts';
import { because, draft, facts, refused } from './drafts.ts';
import { unknownRole, unknownSubject } from './grants.ts';

export const issueKey: Decider<'issue-key'> = (
  { credential, owner, digest, roles, until, reason },
  organisation,
  at,
) => {
  const refusal =
    unknownSubject(organisation, owner) ??
    roles.map((role) => unknownRole(organisation, role)).find((each) => each !== undefined);
  if (refusal) return refusal;
  return facts(
    draft(
      'postern.credential.issued.v1',
      credential,
      { credential, owner, digest, ...(until !== undefined && { until }), reason },
      at,
    ),
    ...roles.map((role) => {
      const id = at.newId() as GrantId;
      return draft(
        'postern.grant.issued.v1',
        credential,
        { grant: id, subject: credential, role, origin: 'key', reason },
        at,
        id,
      );
    }),
  );
};

export const revokeKey: Decider<'revoke-key'> = ({ credential, reason }, organisation, at) => {
  if (!organisation.credentials.has(credential))
    return refused('grants/unknown-credential', { detail: `${credential} is not live` });
  return facts(draft('postern.credential.revoked.v1', credential, { credential, ...because(reason) }, at));
};
