/**
 * A JWT that every reader reads alike: three parts in canonical base64url, two of them JSON objects without a member twice. Other
 * spellings of one token (spare bits in the last character, the alphabet of plain base64) would be further keys of whatever is kept
 * by the token's text, and a member that comes twice means one thing here and another elsewhere.
 */
import { parseStrictJson } from '../gate/strict-json.ts';

type Parts = { readonly head: object; readonly claims: object } | { readonly why: string };

export const readCanonicalParts = (token: string): Parts => {
  const [header, payload, signature, more] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more !== undefined)
    return { why: 'it is no signed token' };
  const parts = [header, payload, signature].map((part) => Buffer.from(part, 'base64url'));
  if (parts.some((octets, at) => octets.toString('base64url') !== [header, payload, signature][at]))
    return { why: 'it is not spelled canonically' };
  const [head, claims] = parts.slice(0, 2).map((octets) => parseStrictJson(octets));
  if (!isObject(head) || !isObject(claims)) return { why: 'it is not made of JSON objects whose members come once' };
  return { head: head.value, claims: claims.value };
};

/** The issuer that the token names, as yet unproven. */
export const readCanonicalJwt = (token: string): { readonly issuer: string } | { readonly why: string } => {
  const read = readCanonicalParts(token);
  if ('why' in read) return read;
  const issuer = (read.claims as { iss?: unknown }).iss;
  return typeof issuer === 'string' ? { issuer } : { why: 'its issuer is not trusted here' };
};

const isObject = (read: ReturnType<typeof parseStrictJson> | undefined): read is { readonly value: object } =>
  read !== undefined &&
  'value' in read &&
  typeof read.value === 'object' &&
  read.value !== null &&
  !Array.isArray(read.value);
