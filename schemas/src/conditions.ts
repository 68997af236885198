/** The conditions of a grant, and their union: the one caveat of `gate.zed`. */
import { z } from 'zod';

const Instant = z.iso.datetime({ offset: true, error: 'write an RFC 3339 instant, for instance 2026-12-01T08:00:00Z' });
const Days = z.array(z.number().int().min(0).max(6)).min(1);
const knownZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
};

/** Weekly hours: days 0 (Sunday) to 6, minutes of the day `from` (inclusive) to `to` (exclusive), in the IANA zone `tz`. */
export const Hours = z.strictObject({
  tz: z.string().refine(knownZone, 'write an IANA time zone, for instance Europe/Berlin'),
  days: Days,
  from: z.number().int().min(0).max(1439),
  to: z.number().int().min(1).max(1440),
});

/** All keys must hold together; an absent key is no condition. */
export const Conditions = z.strictObject({
  from: Instant.optional(),
  until: Instant.optional(),
  cidrs: z
    .array(z.union([z.cidrv4(), z.cidrv6()], { error: 'write a CIDR block, for instance 10.0.0.0/8' }))
    .min(1)
    .optional(),
  countries: z
    .array(z.string().regex(/^[A-Z]{2}$/, 'write ISO 3166 country codes, for instance DE'))
    .min(1)
    .optional(),
  hours: Hours.optional(),
  /** Authentication context classes of the token (claim `acr`): any one of them. */
  acr: z.array(z.string().min(1).max(200)).min(1).optional(),
  /** Authentication methods of the token (claim `amr`, RFC 8176): all of them. */
  amr: z.array(z.string().min(1).max(200)).min(1).optional(),
});
export type Conditions = z.infer<typeof Conditions>;

/** What a decision may depend on besides the graph; the names are the caveat's parameters. */
export const contextFields = ['now', 'ip', 'country', 'acr', 'amr'] as const;
export type ContextField = (typeof contextFields)[number];

/**
 * Why these conditions can never be met by anybody, or undefined. A log may hold such grants from before this was asked; they
 * refuse. `from` and `to` of hours belong to one day of the zone, so hours across midnight are two grants.
 */
export const neverMet = ({ from, until, hours }: Conditions): { why: string; fix: string } | undefined => {
  if (from !== undefined && until !== undefined && Date.parse(from) >= Date.parse(until))
    return { why: `from (${from}) is not before until (${until})`, fix: 'Let until lie behind from.' };
  if (hours === undefined) return undefined;
  if (hours.from >= hours.to)
    return {
      why: `hours.from (${hours.from}) is not before hours.to (${hours.to}): hours belong to one day`,
      fix: `For hours across midnight write two grants: from ${hours.from} to 1440 on these days, and from 0 to ${hours.to} on the days after them.`,
    };
  const spelled = new Intl.DateTimeFormat('en', { timeZone: hours.tz }).resolvedOptions().timeZone;
  const wrongCase =
    /(^|\/)[a-z]/.test(hours.tz) || (spelled !== hours.tz && spelled.toLowerCase() === hours.tz.toLowerCase());
  // The engine looks zones up by file name, where case counts.
  return wrongCase
    ? { why: `hours.tz ${hours.tz} is spelled with other capitals`, fix: `Write ${spelled}.` }
    : undefined;
};

/** Largest serialised list of alternatives on one relationship, in bytes; SpiceDB's caveat context is bounded near it. */
export const alternativesBytesMax = 25_000;
