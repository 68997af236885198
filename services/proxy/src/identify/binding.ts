/** What a token is bound to (claim `cnf`, RFC 7800): whoever has the token alone has nothing. */
import type { Issuer } from '@postern/schemas';

export type Binding = {
  /** Of the key that has to sign a proof for each request (RFC 9449 §6.1). */
  readonly keyThumbprint?: string;
  /** Of the certificate that the connection has to be made with (RFC 8705 §3.1). */
  readonly certificateThumbprint?: string;
  /** How its issuer wants proofs to be. */
  readonly proofs: Issuer['dpop'] & { readonly skewSeconds: number };
};

const sha256 = /^[A-Za-z0-9_-]{43}$/;

/** Undefined where the token is bound to nothing. A binding that cannot be checked must not be taken for none. */
export const readBinding = (cnf: unknown, { dpop, clockSkewSeconds }: Issuer): Binding | undefined | 'unreadable' => {
  if (cnf === undefined) return undefined;
  if (typeof cnf !== 'object' || cnf === null) return 'unreadable';
  const { jkt, 'x5t#S256': x5t } = cnf as { jkt?: unknown; 'x5t#S256'?: unknown };
  if (jkt === undefined && x5t === undefined) return 'unreadable';
  if (!isThumbprint(jkt) || !isThumbprint(x5t)) return 'unreadable';
  return {
    ...(jkt !== undefined && { keyThumbprint: jkt }),
    ...(x5t !== undefined && { certificateThumbprint: x5t }),
    proofs: { ...dpop, skewSeconds: clockSkewSeconds },
  };
};

const isThumbprint = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === 'string' && sha256.test(value));
