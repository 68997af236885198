/** Security event tokens (RFC 8417) as the Shared Signals profile has them: whose they are, whom they are for, what they say. */
import type { Transmitter } from '@postern/schemas';
import { compactVerify, decodeJwt, errors } from 'jose';
import { z } from 'zod';
import { KeysAway, type TransmitterKeys } from './keys.ts';

/** RFC 8935, 2.4: what a transmitter is told. */
export type SetError = {
  readonly err:
    | 'invalid_request'
    | 'invalid_key'
    | 'invalid_issuer'
    | 'invalid_audience'
    | 'authentication_failed'
    | 'access_denied';
  readonly description: string;
};

/** RFC 9493; what a format means here says subjects.ts. */
export const SubjectId = z.looseObject({ format: z.string().min(1) });
export type SetSubject = z.infer<typeof SubjectId>;

const Claims = z.looseObject({
  iss: z.string().min(1),
  jti: z.string().min(1).max(1_000),
  iat: z.number().finite(),
  aud: z.union([z.string(), z.array(z.string())]),
  txn: z.string().optional(),
  /** When it happened, in seconds. */
  toe: z.number().finite().optional(),
  sub_id: SubjectId.optional(),
  events: z.record(z.string(), z.looseObject({})),
});

export type SecurityEvent = {
  readonly transmitter: Transmitter;
  readonly jti: string;
  /** ms since the epoch. */
  readonly issuedAt: number;
  readonly type: string;
  readonly event: Readonly<Record<string, unknown>>;
  readonly subject: SetSubject | undefined;
  /** When it happened, in ms since the epoch, as far as the event says. */
  readonly happenedAt: number | undefined;
};

export type Verified =
  | { readonly outcome: 'verified'; readonly event: SecurityEvent }
  | { readonly outcome: 'refused'; readonly error: SetError; readonly jti?: string }
  /** Nothing is said about it: it is to be sent again. */
  | { readonly outcome: 'keys-away'; readonly why: string };

export type Known = { readonly transmitter: Transmitter; readonly keys: TransmitterKeys };

const tokenBytesMax = 100_000;
/** A clock may be that far ahead of ours, in ms. */
const skewMs = 300_000;

export const verifySet = async (token: string, known: readonly Known[], now: number): Promise<Verified> => {
  const refused = (err: SetError['err'], description: string, jti?: string): Verified => ({
    outcome: 'refused',
    error: { err, description },
    ...(jti !== undefined && { jti }),
  });
  if (token.length > tokenBytesMax) return refused('invalid_request', 'the token is too large');
  let issuer: string | undefined;
  try {
    issuer = decodeJwt(token).iss;
  } catch {
    return refused('invalid_request', 'this is no signed token in compact form');
  }
  const from = known.find(({ transmitter }) => transmitter.issuer === issuer);
  if (from === undefined) return refused('invalid_issuer', 'no transmitter of this issuer is known here');
  const { transmitter, keys } = from;

  let payload: Uint8Array;
  try {
    const verified = await compactVerify(token, keys as Parameters<typeof compactVerify>[1], {
      algorithms: [...transmitter.algorithms],
    });
    const type = verified.protectedHeader.typ?.toLowerCase().replace(/^application\//, '');
    if (type !== 'secevent+jwt') return refused('invalid_request', 'typ is not secevent+jwt');
    payload = verified.payload;
  } catch (error) {
    if (error instanceof KeysAway) return { outcome: 'keys-away', why: error.message };
    if (error instanceof errors.JWSSignatureVerificationFailed)
      return refused('authentication_failed', 'the signature is not of a key of this issuer');
    return refused('invalid_key', error instanceof Error ? error.message : 'the key is not accepted');
  }

  const parsed = Claims.safeParse(JSON.parse(new TextDecoder().decode(payload)));
  if (!parsed.success)
    return refused(
      'invalid_request',
      parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; '),
    );
  const { jti, iat, aud, toe, sub_id, events, ...rest } = parsed.data;
  // They would make an access token of it; RFC 8417 warns of `exp`, the profile forbids both.
  for (const claim of ['exp', 'sub'])
    if (claim in rest) return refused('invalid_request', `${claim} must not be there`, jti);
  if (![aud].flat().some((each) => transmitter.audience.includes(each)))
    return refused('invalid_audience', 'it is addressed to somebody else', jti);
  if (iat * 1_000 > now + skewMs) return refused('invalid_request', 'it was issued in the future', jti);
  const [type, ...more] = Object.keys(events);
  if (type === undefined || more.length > 0) return refused('invalid_request', 'events has to hold exactly one', jti);
  const event = events[type] ?? {};
  const subject = sub_id ?? SubjectId.safeParse(event['subject']).data;
  const stamp = event['event_timestamp'];
  const happened = typeof stamp === 'number' ? stamp : toe;
  return {
    outcome: 'verified',
    event: {
      transmitter,
      jti,
      issuedAt: iat * 1_000,
      type,
      event,
      subject,
      happenedAt: happened === undefined ? undefined : happened * 1_000,
    },
  };
};
