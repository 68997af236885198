/** The Authorization header (RFC 9110 §11.6.2), as far as it may hold one of the credentials that are read here. */

export type Authorization = {
  readonly token: string;
  /** Sent with a proof that its holder has the key it is bound to (RFC 9449 §7.1). */
  readonly proven: boolean;
};

const schemes = /^(bearer|dpop) +([\x21-\x7e]+) *$/i;

/** Clients repeat their header, and looking it up costs less than reading it. Its token is kept with it, so that its own look-ups are quick. */
const recentMax = 1_000;
const recent = new Map<string, Authorization>();

/** Undefined where it holds anything else. */
export const readAuthorization = (header: string): Authorization | undefined => {
  const known = recent.get(header);
  if (known !== undefined) return known;
  const sent = schemes.exec(header);
  const [, scheme, token] = sent ?? [];
  if (scheme === undefined || token === undefined) return undefined;
  const read = { token, proven: scheme.length === 4 };
  if (recent.size >= recentMax) recent.clear();
  recent.set(header, read);
  return read;
};
