/** Certificates for tests: authorities, and whatever they are told to sign. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 86_400_000;

export type Signed = { readonly certificate: string; readonly key: string; readonly serial: string };
export type SignOptions = {
  readonly subject?: string;
  readonly names?: readonly { readonly type: 'dns' | 'url' | 'email' | 'ip'; readonly value: string }[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly authority?: boolean;
  readonly usage?: 'client' | 'server';
};
export type TrialAuthority = {
  readonly certificate: string;
  readonly keys: CryptoKeyPair;
  readonly subject: string;
  readonly sign: (options?: SignOptions) => Promise<Signed>;
  /** A revocation list of these serial numbers. */
  readonly revoke: (...serials: string[]) => Promise<string>;
};
type CryptoKeyPair = Awaited<ReturnType<typeof keyPair>>;

const keyPair = async () => {
  const made = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  if (!('privateKey' in made)) throw new TypeError('a pair has two keys');
  return made;
};
const keyPem = async (keys: CryptoKeyPair): Promise<string> =>
  x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');

/** `own` makes another certificate for the same key. */
export const certificateAuthority = async (
  subject: string,
  above?: TrialAuthority,
  own?: CryptoKeyPair,
): Promise<TrialAuthority> => {
  const keys = own ?? (await keyPair());
  const about = {
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 30 * day),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  };
  const made =
    above === undefined
      ? await x509.X509CertificateGenerator.createSelfSigned({ ...about, name: subject, keys })
      : await x509.X509CertificateGenerator.create({
          ...about,
          subject,
          issuer: above.subject,
          publicKey: keys.publicKey,
          signingKey: above.keys.privateKey,
        });
  return {
    certificate: made.toString('pem'),
    keys,
    subject,
    sign: async ({
      subject: name = 'CN=leaf',
      names = [],
      notBefore = new Date(Date.now() - day),
      notAfter = new Date(Date.now() + day),
      authority = false,
      usage = 'client',
    } = {}) => {
      const own = await keyPair();
      const leaf = await x509.X509CertificateGenerator.create({
        subject: name,
        issuer: subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        notBefore,
        notAfter,
        extensions: [
          new x509.BasicConstraintsExtension(authority, undefined, true),
          new x509.ExtendedKeyUsageExtension([
            usage === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
          ]),
          ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension([...names])] : []),
        ],
      });
      return { certificate: leaf.toString('pem'), key: await keyPem(own), serial: leaf.serialNumber };
    },
    revoke: async (...serials) => {
      const list = await x509.X509CrlGenerator.create({
        issuer: subject,
        thisUpdate: new Date(Date.now() - day),
        nextUpdate: new Date(Date.now() + day),
        signingAlgorithm: algorithm,
        signingKey: keys.privateKey,
        entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(Date.now() - day) })),
      });
      return x509.PemConverter.encode(list.rawData, 'X509 CRL');
    },
  };
};
