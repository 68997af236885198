/** The files that `tls` names, read and looked at before anything listens: what cannot be used is said with the file's name. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { type ClientAuthority, Problem, type Tls, type TlsClients } from '@postern/schemas';
import { type LoadedConfig, within } from './config/load.ts';

/** What a TLS listener needs, with nothing left to be read. */
export type TlsMaterial = Pick<Tls, 'minVersion'> & {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly expiresAtMs: number;
  readonly clients?: Omit<TlsClients, 'authorities'> & {
    readonly authorities: readonly (ClientAuthority & {
      readonly caPem: readonly string[];
      readonly crlPem?: readonly string[];
    })[];
  };
};

const listText = /-----BEGIN X509 CRL-----[\s\S]+?-----END X509 CRL-----/g;
const certificateText = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Every file that the configuration names for TLS, absolute: to be watched. */
export const tlsFiles = ({ config: { tls }, folder }: LoadedConfig): readonly string[] =>
  tls === undefined
    ? []
    : [
        tls.certificate,
        tls.key,
        ...(tls.clients?.authorities ?? []).flatMap(({ ca, crl }) => (crl === undefined ? [ca] : [ca, crl])),
      ].map((file) => within(folder, file));

/** Undefined where no TLS is configured. Rejects with `runtime/bad-certificate`. */
export const readTlsFiles = async (loaded: LoadedConfig, nowMs: number): Promise<TlsMaterial | undefined> => {
  const { tls } = loaded.config;
  if (tls === undefined) return undefined;
  const at = (file: string): string => within(loaded.folder, file);
  const certificatePem = await readText(at(tls.certificate));
  const keyPem = await readText(at(tls.key));
  const [first = '', ...between] = certificatesIn(certificatePem, at(tls.certificate));
  const leaf = parsed(first, at(tls.certificate));
  for (const pem of between) parsed(pem, at(tls.certificate));
  requireInTime(leaf, at(tls.certificate), nowMs);
  requireMatch(leaf, keyPem, at(tls.certificate), at(tls.key));
  const authorities = [];
  for (const rules of tls.clients?.authorities ?? []) {
    const caPem = certificatesIn(await readText(at(rules.ca)), at(rules.ca));
    for (const pem of caPem)
      if (!parsed(pem, at(rules.ca)).ca)
        throw unfit(`${at(rules.ca)} holds a certificate that is no authority's`, 'Put the authorities there alone.');
    authorities.push({
      ...rules,
      caPem,
      ...(rules.crl !== undefined && { crlPem: listsIn(await readText(at(rules.crl)), at(rules.crl)) }),
    });
  }
  const material: TlsMaterial = {
    minVersion: tls.minVersion,
    certificatePem,
    keyPem,
    expiresAtMs: leaf.validToDate.getTime(),
    ...(tls.clients !== undefined && { clients: { ...tls.clients, authorities } }),
  };
  try {
    // What is left to go wrong: a revocation list that is none, a key too weak for this OpenSSL.
    createSecureContext(toContext(material));
  } catch (error) {
    throw unfit(`the files of tls cannot be used together: ${(error as Error).message}`, 'Look at each with openssl.');
  }
  return material;
};

/** As node's TLS takes it. */
export const toContext = ({ certificatePem, keyPem, minVersion, clients }: TlsMaterial) => {
  const crl = (clients?.authorities ?? []).flatMap(({ crlPem }) => crlPem ?? []);
  return {
    cert: certificatePem,
    key: keyPem,
    minVersion,
    ...(clients !== undefined && { ca: clients.authorities.flatMap(({ caPem }) => caPem) }),
    ...(crl.length > 0 && { crl }),
  };
};

const unfit = (detail: string, fix: string, cause?: unknown): Problem =>
  new Problem('runtime/bad-certificate', { detail, fix, cause });

const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unfit(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      'Put the file there, readable by this user.',
      error,
    );
  }
};
const certificatesIn = (pem: string, file: string): string[] => {
  const found = pem.match(certificateText);
  if (found === null) throw unfit(`${file} holds no certificate in PEM`, 'Write certificates in PEM there.');
  return found;
};
const listsIn = (pem: string, file: string): string[] => {
  const found = pem.match(listText);
  if (found === null)
    throw unfit(`${file} holds no revocation list in PEM`, 'Write the lists of its authorities there.');
  return found;
};
const parsed = (pem: string, file: string): X509Certificate => {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unfit(`${file} holds a certificate that cannot be read`, 'Write certificates in PEM there.', error);
  }
};
const requireInTime = ({ validFromDate, validToDate }: X509Certificate, file: string, nowMs: number): void => {
  if (nowMs >= validToDate.getTime())
    throw unfit(`${file} has run out on ${validToDate.toISOString()}`, 'Put a current certificate there.');
  if (nowMs < validFromDate.getTime())
    throw unfit(`${file} does not count before ${validFromDate.toISOString()}`, "Is this machine's clock right?");
};
const requireMatch = (leaf: X509Certificate, keyPem: string, certificate: string, key: string): void => {
  let matches: boolean;
  try {
    matches = leaf.checkPrivateKey(createPrivateKey(keyPem));
  } catch (error) {
    throw unfit(
      `${key} holds no private key that can be read`,
      'Write the key in PEM there, without a passphrase.',
      error,
    );
  }
  if (!matches)
    throw unfit(
      `${key} is not the key of the first certificate in ${certificate}`,
      "Put the certificate's own key there; the gate's certificate comes first, those of its authorities behind it.",
    );
};
