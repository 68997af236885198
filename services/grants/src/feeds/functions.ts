/** Functions that expressions of feeds.yaml have beside those of JSONata. Undefined in, undefined out, as JSONata does. */
import { encodeId } from '@postern/schemas';

/** `$id(Worker_ID)`: an outside name as part of a subject, `"user:" & $id(Worker_ID)`. */
export const encodedId = (raw: string | number | undefined): string | undefined =>
  raw === undefined ? undefined : encodeId(String(raw));

/** `$startOfDay("2026-12-01", "Europe/Berlin")`: the instant at which a calendar day begins there (default: UTC), RFC 3339. */
export const startOfDay = (day: string | undefined, timeZone = 'UTC'): string | undefined => {
  if (day === undefined) return undefined;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(midnight))
    throw new RangeError(`$startOfDay: "${day}" is no day such as 2026-12-01`);
  // Where the zone's clock shows midnight; twice, because the offset may change on that very day.
  const first = midnight - offsetMs(midnight, timeZone);
  return new Date(midnight - offsetMs(first, timeZone)).toISOString();
};

/** How far the zone's clock is ahead of UTC at an instant. */
const offsetMs = (instant: number, timeZone: string): number => {
  const name = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
    .formatToParts(instant)
    .find(({ type }) => type === 'timeZoneName')?.value;
  const [, sign, hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name ?? '') ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3_600_000 + Number(minutes) * 60_000);
};
