/** Whom a certificate names, as far as its authority is believed about names. */
import type { X509Certificate } from 'node:crypto';
import { type ClientAuthority, encodeId, PrincipalId } from '@postern/schemas';

export type Named = { readonly principal: PrincipalId } | { readonly why: string };

/** As node spells it: `DNS:a, URI:"b, c"`; a value that could be read in two ways stands in quotes, as JSON. */
const alternative = /(?:^|, )([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?=, |$)/y;

/** Undefined where the text is not made of names alone. */
export const alternativeNames = (text: string): readonly { kind: string; value: string }[] | undefined => {
  const names: { kind: string; value: string }[] = [];
  alternative.lastIndex = 0;
  while (alternative.lastIndex < text.length) {
    const [, kind, value] = alternative.exec(text) ?? [];
    if (kind === undefined || value === undefined) return undefined;
    names.push({ kind, value: value.startsWith('"') ? String(JSON.parse(value)) : value });
  }
  return names;
};

export const namedBy = (certificate: X509Certificate, { spiffe, names }: ClientAuthority): Named => {
  const alternatives = alternativeNames(certificate.subjectAltName ?? '');
  if (alternatives === undefined) return { why: 'its names cannot be read' };
  const found = new Set<PrincipalId>();
  for (const { kind, value } of alternatives) {
    const mapped = listed(names, `${kind}:${value}`);
    if (mapped !== undefined) found.add(mapped);
  }
  const mapped = listed(names, `subject:${certificate.subject.split('\n').join(',')}`);
  if (mapped !== undefined) found.add(mapped);
  const uris = alternatives.filter(({ kind }) => kind === 'URI').map(({ value }) => value);
  if (spiffe !== undefined && uris.some((uri) => /^spiffe:/i.test(uri))) {
    const workload = fromSpiffe(uris, certificate.ca, spiffe);
    if ('why' in workload) return workload;
    found.add(workload.principal);
  }
  const [principal, another] = found;
  if (principal === undefined) return { why: 'it names nobody who is known here' };
  return another === undefined ? { principal } : { why: 'it names more than one caller' };
};

/** A record of the configuration, which has a prototype. */
const listed = (names: Readonly<Record<string, PrincipalId>>, name: string): PrincipalId | undefined =>
  Object.hasOwn(names, name) ? names[name] : undefined;

const spiffeId = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/;

/** X.509-SVID §2, §5.2: one URI and no other, a leaf, a path of plain segments. */
const fromSpiffe = (
  uris: readonly string[],
  isAuthority: boolean,
  { trustDomain, prefix = `spiffe://${trustDomain}/` }: NonNullable<ClientAuthority['spiffe']>,
): Named => {
  const [uri = ''] = uris;
  const [, domain, path = ''] = spiffeId.exec(uri) ?? [];
  if (uris.length !== 1 || isAuthority || domain === undefined || uri.length > 2_048)
    return { why: 'it is no SPIFFE identity document of a workload' };
  if (path.split('/').some((segment) => segment === '.' || segment === '..'))
    return { why: 'its SPIFFE id holds a dot segment' };
  if (domain !== trustDomain) return { why: `the trust domain ${domain} is not this authority's` };
  const principal = PrincipalId.safeParse(`workload:${encodeId(`${prefix}${path.slice(1)}`)}`);
  return principal.success ? { principal: principal.data } : { why: 'its SPIFFE id is too long' };
};
