/** The certificate that a connection was made with, read once when it is made and found again by its socket. */
import { hash, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

export type Presented = {
  /** SHA-256 of the certificate, base64url (RFC 8705 §3.1). */
  readonly thumbprint: string;
  /** The certificate first, then who signed it, as far as that is known; each signature was checked. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** Why the handshake did not find it to be of an authority; undefined where it did. */
  readonly distrusted: string | undefined;
  /** Which authorities were asked: they may be others by now. */
  readonly generation: number;
};

/** As TLS tells of a chain; the last one is its own issuer, or has none. */
export type Shown = { readonly raw: Buffer; readonly issuerCertificate?: Shown | undefined };

const chainMax = 10;
const presented = Symbol('presented');
type Marked = { [presented]?: Presented | undefined };

/** HTTP/2 shows requests a stand-in for their socket, and that passes on what is marked here. */
export const presentedBy = (socket: object): Presented | undefined => (socket as Marked)[presented];

/** Once, when the handshake is over. Without a certificate nothing is marked. */
export const markPresented = (socket: TLSSocket, generation: number): void => {
  const shown = socket.getPeerCertificate(true);
  if (shown?.raw === undefined) return;
  const leaf = new X509Certificate(shown.raw);
  (socket as TLSSocket & Marked)[presented] = {
    thumbprint: hash('sha256', leaf.raw, 'base64url'),
    chain: [leaf, ...signers(leaf, shown)],
    distrusted: socket.authorized ? undefined : String(socket.authorizationError ?? 'not verified'),
    generation,
  };
};

/**
 * What TLS shows as the issuers is found by name, and a client may send any certificate of any name: only those whose key did sign
 * the one before are taken.
 */
export const signers = (leaf: X509Certificate, shown: Shown): X509Certificate[] => {
  const chain: X509Certificate[] = [];
  let [below, at]: [X509Certificate, Shown] = [leaf, shown];
  while (chain.length < chainMax) {
    const above = at.issuerCertificate;
    if (above?.raw === undefined || above === at) return chain;
    const signer = new X509Certificate(above.raw);
    if (!signer.ca || !below.checkIssued(signer) || !below.verify(signer.publicKey)) return chain;
    chain.push(signer);
    [below, at] = [signer, above];
  }
  return chain;
};
