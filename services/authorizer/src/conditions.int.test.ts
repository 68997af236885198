/** Conditions on the real engine, against an evaluator that shares nothing with it: Berlin's clock is computed here from the law. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Relationships } from '@postern/relationships';
import { openRelationships } from '@postern/relationships/open';
import { beginning, type Conditions, type Context, gateSchema } from '@postern/schemas';
import { judge } from './conditions.ts';

/** Directive 2000/84/EC: summer time from 01:00 UTC on the last Sunday of March to 01:00 UTC on the last one of October. */
const lastSunday = (year: number, month: number): number => {
  const end = new Date(Date.UTC(year, month + 1, 0, 1));
  return end.getTime() - end.getUTCDay() * 86_400_000;
};
const berlin = (at: number): { day: number; minute: number } => {
  const year = new Date(at).getUTCFullYear();
  const summer = at >= lastSunday(year, 2) && at < lastSunday(year, 9);
  const local = new Date(at + (summer ? 2 : 1) * 3_600_000);
  return { day: local.getUTCDay(), minute: local.getUTCHours() * 60 + local.getUTCMinutes() };
};
const holdsOne = (conditions: Conditions, { now, ip, country, acr, amr }: Context): boolean => {
  const at = Date.parse(now);
  const { from, until, cidrs, countries, hours } = conditions;
  const { day, minute } = berlin(at);
  return (
    (from === undefined || at >= Date.parse(from)) &&
    (until === undefined || at < Date.parse(until)) &&
    (cidrs === undefined || (ip !== undefined && cidrs.some((cidr) => ip.startsWith(prefixes[cidr] ?? 'none')))) &&
    (countries === undefined || (country !== undefined && countries.includes(country))) &&
    (hours === undefined || (hours.days.includes(day) && minute >= hours.from && minute < hours.to)) &&
    (conditions.acr === undefined || (acr !== undefined && conditions.acr.includes(acr))) &&
    (conditions.amr === undefined || (amr !== undefined && conditions.amr.every((each) => amr.includes(each))))
  );
};
/** Blocks that end where a dot or a colon stands. */
const prefixes: Readonly<Record<string, string>> = { '10.0.0.0/8': '10.', '2001:db8::/32': '2001:db8:' };

const kinds: readonly Conditions[] = [
  { from: '2026-03-02T08:00:00Z' },
  { until: '2026-10-25T00:30:00Z' },
  { cidrs: ['10.0.0.0/8'] },
  { cidrs: ['2001:db8::/32'] },
  { countries: ['DE', 'FR'] },
  { hours: { tz: 'Europe/Berlin', days: [0, 1, 6], from: 120, to: 180 } },
  { acr: ['gold', 'silver'] },
  { amr: ['hwk', 'pin'] },
];
const instants = ['2026-03-01T23:59:59Z', '2026-03-29T00:30:00Z', '2026-10-25T00:15:00Z', '2026-10-25T01:15:00Z'];
const contexts: readonly Context[] = instants.flatMap((now) => [
  { now },
  { now, ip: '10.1.2.3', country: 'DE', acr: 'gold', amr: ['hwk', 'pin'] },
  { now, ip: '11.1.2.3', country: 'IT', acr: 'bronze', amr: ['hwk'] },
  { now, ip: '2001:db8::9', acr: 'silver', amr: ['hwk', 'otp', 'pin'] },
  { now, ip: '2001:db9::9', country: 'FR', amr: [] },
]);

const hold = async (engine: Relationships, grants: readonly (readonly Conditions[])[]): Promise<void> => {
  await engine.writeSchema(gateSchema);
  const updates = grants.map(
    (anyOf, n) =>
      ({
        operation: 'touch',
        relationship: { resource: 'role:all', relation: 'holder', subject: `user:${n}`, anyOf },
      }) as const,
  );
  await engine.project({ from: beginning, to: beginning, updates, facts: [], actor: 'a test' });
};
const verdictsOf = async (engine: Relationships, count: number, on: readonly Context[]): Promise<boolean[][]> => {
  const items = Array.from({ length: count }, (_, n) =>
    on.map((context) => ({ resource: 'role:all', permission: 'holder', subject: `user:${n}`, context })),
  );
  const verdicts = await engine.check(items.flat());
  for (const each of verdicts) assert.notEqual(each.verdict, 'failed', JSON.stringify(each));
  return items.map((_, n) => on.map((_, at) => verdicts[n * on.length + at]?.verdict === 'has'));
};

test('two grants are the union of their conditions and two conditions of one grant their intersection, of each pair of kinds', async () => {
  await using engine = await openRelationships('embedded:');
  const pairs = kinds.flatMap((a, n) => kinds.slice(n).map((b) => [a, b] as const));
  const grants = pairs.flatMap(([a, b]) => [[a, b], [{ ...a, ...b }]]);
  await hold(engine, grants);
  const verdicts = await verdictsOf(engine, grants.length, contexts);
  let allowed = 0;
  grants.forEach((anyOf, n) => {
    contexts.forEach((context, at) => {
      const expected = anyOf.some((each) => holdsOne(each, context));
      if (expected) allowed++;
      const about = `${JSON.stringify(anyOf)} at ${JSON.stringify(context)}`;
      assert.equal(verdicts[n]?.[at], expected, about);
      const explained = anyOf.map((each) => judge(each, context));
      assert.equal(
        explained.some(({ unmet, missing }) => unmet.length + missing.length === 0),
        expected,
        `the explanation of ${about}`,
      );
    });
  });
  assert.ok(allowed > 200 && allowed < (grants.length * contexts.length) / 2, `${allowed} allowed`);
});

test('weekly hours are those on the wall, when clocks go forward and back, on leap days and at midnight', async () => {
  await using engine = await openRelationships('embedded:');
  const hours = (days: number[], from: number, to: number): Conditions[] => [
    { hours: { tz: 'Europe/Berlin', days, from, to } },
  ];
  const grants = [
    hours([0], 120, 180),
    hours([0], 0, 1440),
    hours([6], 1320, 1440),
    hours([0, 1, 2, 3, 4, 5, 6], 540, 1020),
    // Ten in the evening to two in the morning is two grants.
    [...hours([5], 1320, 1440), ...hours([6], 0, 120)],
  ];
  await hold(engine, grants);
  const around = [lastSunday(2026, 2), lastSunday(2026, 9), Date.UTC(2028, 1, 29, 12), Date.UTC(2027, 11, 31, 23)];
  const every = around.flatMap((middle) => Array.from({ length: 193 }, (_, n) => middle + (n - 96) * 15 * 60_000));
  const on = every.flatMap((at) => [at - 1_000, at]).map((at) => ({ now: new Date(at).toISOString() }));
  const verdicts = await verdictsOf(engine, grants.length, on);
  grants.forEach((anyOf, n) => {
    on.forEach((context, at) => {
      assert.equal(
        verdicts[n]?.[at],
        anyOf.some((each) => holdsOne(each, context)),
        `${JSON.stringify(anyOf)} at ${context.now}`,
      );
    });
  });
  const open = (grant: number, day: string) =>
    on.filter(({ now }, at) => now.startsWith(day) && now.endsWith(':00.000Z') && verdicts[grant]?.[at]).length;
  assert.equal(open(0, '2026-03-29'), 0, 'the hour from two to three does not happen');
  assert.equal(open(0, '2026-10-25'), 8, 'it happens twice');
});
