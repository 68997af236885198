/** From a token's claims to the one it names. Two tokens that differ in what the configuration looks at never name the same one. */
import { type RequiredClaims, type TemplatePart, type TokenSubject, templateParts } from '@postern/schemas';
import type { Claims } from './claims.ts';

/** A member of its own alone: `constructor` is no claim of a token that does not say it. */
const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

export const claimAt = (claims: Claims, name: string): unknown =>
  name.startsWith('/')
    ? name
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
        .reduce<unknown>(memberOf, claims)
    : memberOf(claims, name);

const escaped = (value: string): string => value.replace(/[%|:]/g, (octet) => encodeURIComponent(octet));

/** Parsing a template is no work for each request. */
const partsOf = new WeakMap<TokenSubject, readonly TemplatePart[]>();
const parsed = (subject: TokenSubject, template: string): readonly TemplatePart[] => {
  const known = partsOf.get(subject) ?? templateParts(template);
  partsOf.set(subject, known);
  return known;
};

/** The id, not yet encoded; otherwise what is missing. A claim that is no text, or an empty one, names nobody. */
export const subjectIn = (
  claims: Claims,
  subject: TokenSubject,
): { readonly name: string } | { readonly why: string } => {
  const textOf = (claim: string): string | undefined => {
    const value = claimAt(claims, claim);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  if (subject.id === undefined) {
    const claim = subject.claim ?? 'sub';
    const name = textOf(claim);
    return name === undefined ? { why: `its claim ${claim} names nobody` } : { name };
  }
  let name = '';
  for (const part of parsed(subject, subject.id)) {
    const value = 'text' in part ? part.text : textOf(part.claim);
    if (value === undefined) return { why: `its claim ${'claim' in part ? part.claim : ''} says nothing` };
    name += 'text' in part ? value : escaped(value);
  }
  return { name };
};

/** The first claim that does not say what it has to; undefined where all do. */
export const unmetClaim = (claims: Claims, required: RequiredClaims): string | undefined =>
  Object.entries(required).find(([name, wanted]) => {
    const value = claimAt(claims, name);
    return !wanted.some((each) =>
      typeof each === 'string' && each.endsWith('*')
        ? typeof value === 'string' && value.startsWith(each.slice(0, -1))
        : value === each,
    );
  })?.[0];
