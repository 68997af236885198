/** API keys. The secret is shown once and never stored: the fact holds its SHA-256 alone. */
import { z } from 'zod';
import { CredentialId, PrincipalId } from '../ids.ts';

const reason = z.string().min(1).max(2000).optional();

export const CredentialIssued = z.strictObject({
  credential: CredentialId,
  owner: PrincipalId,
  /** SHA-256 of the whole key text, base64url. The key has 256 bits from a CSPRNG, so a fast digest is enough. */
  digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  until: z.iso.datetime({ offset: true }).optional(),
  /** The key whose place it takes. */
  replaces: CredentialId.optional(),
  reason,
});
/** Both work until `until`; from then on the successor alone. */
export const CredentialRotated = z.strictObject({
  credential: CredentialId,
  successor: CredentialId,
  until: z.iso.datetime({ offset: true }),
  reason,
});
/** Its `until` is near, and no other key follows it. */
export const CredentialExpiring = z.strictObject({
  credential: CredentialId,
  owner: PrincipalId,
  until: z.iso.datetime({ offset: true }),
});
/** Cleans up behind a key whose `until` has passed; the gate refused it from that instant on. */
export const CredentialExpired = z.strictObject({ credential: CredentialId, until: z.iso.datetime({ offset: true }) });
export const CredentialRevoked = z.strictObject({ credential: CredentialId, reason });
