/**
 * A grant's conditions, judged here in the same words as the caveat `holds` judges them in the engine: not to decide, but to say
 * which of them stood in the way. A test holds the two together.
 */
import { BlockList, isIP } from 'node:net';
import type { Conditions, Context, ContextField } from '@postern/schemas';

export type ConditionName = keyof Conditions;
export type Judged = {
  /** Conditions that do not hold here and now. */
  readonly unmet: readonly ConditionName[];
  /** What would have to be known to judge the others. */
  readonly missing: readonly ContextField[];
};

type One = 'met' | 'unmet' | ContextField;

export const judge = (conditions: Conditions | undefined, context: Partial<Context>): Judged => {
  const unmet: ConditionName[] = [];
  const missing = new Set<ContextField>();
  for (const [name, one] of judgedEach(conditions ?? {}, context))
    if (one === 'unmet') unmet.push(name);
    else if (one !== 'met') missing.add(one);
  return { unmet, missing: [...missing] };
};

function* judgedEach(
  { from, until, cidrs, countries, hours, acr, amr }: Conditions,
  { now, ip, country, acr: ownAcr, amr: ownAmr }: Partial<Context>,
): Generator<readonly [ConditionName, One]> {
  const at = now === undefined ? undefined : Date.parse(now);
  const when = (holds: (at: number) => boolean): One => (at === undefined ? 'now' : holds(at) ? 'met' : 'unmet');
  if (from !== undefined) yield ['from', when((at) => at >= Date.parse(from))];
  if (until !== undefined) yield ['until', when((at) => at < Date.parse(until))];
  if (hours !== undefined) yield ['hours', when((at) => within(hours, at))];
  if (cidrs !== undefined) yield ['cidrs', ip === undefined ? 'ip' : contains(cidrs, ip) ? 'met' : 'unmet'];
  if (countries !== undefined)
    yield ['countries', country === undefined ? 'country' : countries.includes(country) ? 'met' : 'unmet'];
  if (acr !== undefined) yield ['acr', ownAcr === undefined ? 'acr' : acr.includes(ownAcr) ? 'met' : 'unmet'];
  if (amr !== undefined)
    yield ['amr', ownAmr === undefined ? 'amr' : amr.every((each) => ownAmr.includes(each)) ? 'met' : 'unmet'];
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const formats = new Map<string, Intl.DateTimeFormat>();

const within = ({ tz, days: on, from, to }: NonNullable<Conditions['hours']>, at: number): boolean => {
  let format = formats.get(tz);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: tz,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(tz, format);
  }
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const minute = Number(parts['hour']) * 60 + Number(parts['minute']);
  return on.includes(days.indexOf(parts['weekday'] ?? '')) && minute >= from && minute < to;
};

const contains = (cidrs: readonly string[], ip: string): boolean => {
  const family = isIP(ip);
  if (family === 0) return false;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list.check(ip, family === 6 ? 'ipv6' : 'ipv4');
};
