/** When what was last used by whom: one pass over the decisions, in slices, so that whoever shares the thread or server goes on meanwhile. */
import { setImmediate } from 'node:timers/promises';
import type { LastUse, LastUsesQuery } from './port.ts';
import { instantMs, type Placeholder, type Statement } from './query.ts';

/** Entries in one slice; an entry holds a batch of decisions. */
const sliceEntries = 100;

/** `also`: how the backend takes the further operations of a request, as `value`, out of a decision's text. */
export type UsesDialect = { readonly table: string; readonly also: string; readonly placeholder: Placeholder };
export type UsedRow = Readonly<Record<'subject' | 'actor' | 'endpoint' | 'at_ms', unknown>>;

const toStatement = (
  { table, also, placeholder }: UsesDialect,
  { since, subject }: LastUsesQuery,
  from: number,
  to: number,
): Statement => {
  const values: (string | number)[] = [];
  const bind = (value: string | number): string => placeholder(values.push(value));
  const where = (): string =>
    [
      `idx >= ${bind(from)}`,
      `idx < ${bind(to)}`,
      `outcome = 'allow'`,
      'subject IS NOT NULL',
      ...(since === undefined ? [] : [`at_ms >= ${bind(instantMs('since', since))}`]),
      ...(subject === undefined ? [] : [`subject = ${bind(subject)}`]),
    ].join(' AND ');
  const each = (endpoint: string, rows: string, more: string): string =>
    `SELECT subject, actor, ${endpoint} AS endpoint, MAX(at_ms) AS at_ms FROM ${rows} WHERE ${where()} AND ${more} GROUP BY subject, actor, ${endpoint}`;
  const text = [
    each('endpoint', table, 'endpoint IS NOT NULL'),
    each('value', `${table}, ${also}`, 'value IS NOT NULL'),
  ].join(' UNION ALL ');
  return { text, values };
};

export const gatherLastUses = async (
  dialect: UsesDialect,
  query: LastUsesQuery,
  size: number,
  run: (statement: Statement) => readonly UsedRow[] | Promise<readonly UsedRow[]>,
): Promise<LastUse[]> => {
  const newest = new Map<
    string,
    { readonly subject: string; readonly actor?: string; readonly endpoint: string; ms: number }
  >();
  // One person's decisions are found by index: a slice of all is enough then.
  const step = query.subject === undefined ? sliceEntries : Math.max(size, 1);
  for (let from = 0; from < size; from += step) {
    for (const row of await run(toStatement(dialect, query, from, from + step))) {
      const [subject, endpoint, ms] = [String(row.subject), String(row.endpoint), Number(row.at_ms)];
      const actor = typeof row.actor === 'string' ? row.actor : undefined;
      const key = JSON.stringify([subject, actor, endpoint]);
      const before = newest.get(key);
      if (before === undefined) newest.set(key, { subject, endpoint, ms, ...(actor !== undefined && { actor }) });
      else if (ms > before.ms) before.ms = ms;
    }
    await setImmediate();
  }
  return [...newest.values()].map(({ ms, ...use }) => ({ ...use, at: new Date(ms).toISOString() }));
};
