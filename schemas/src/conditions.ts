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
});
export type Conditions = z.infer<typeof Conditions>;

/** What a decision may depend on besides the graph; the names are the caveat's parameters. */
export const contextFields = ['now', 'ip', 'country'] as const;
export type ContextField = (typeof contextFields)[number];

/** Largest serialised list of alternatives on one relationship, in bytes; SpiceDB's caveat context is bounded near it. */
export const alternativesBytesMax = 25_000;
