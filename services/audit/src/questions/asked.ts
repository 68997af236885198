/** What a question is asked with, and what its answer is made of. */
import type { AuditQuery, AuditReader, FoundRow, LogName } from '@postern/audit-store';
import { pageRowsMax } from '@postern/audit-store';
import type { Relationships } from '@postern/relationships';
import type { FactOf, FactType } from '@postern/schemas';
import { z } from 'zod';
import type { ReadableFact } from '../as-of/history.ts';
import { knowledges, type Moment } from '../as-of/moment.ts';
import type { Past } from '../as-of/past.ts';

const text = z.string().min(1).max(1_100);
const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'write a whole number')
  .transform(Number);
export const Arguments = z.strictObject({
  /** The moment that is asked about: an instant or a sequence. */
  at: text.optional(),
  /** The period that is asked about: instants or sequences, both included. */
  from: text.optional(),
  to: text.optional(),
  known: z.enum(knowledges).default('then'),
  subject: text.optional(),
  endpoint: text.optional(),
  role: text.optional(),
  grant: text.optional(),
  review: text.optional(),
  decision: text.optional(),
  sequence: whole.optional(),
  /** Size of an earlier tree. */
  size: whole.optional(),
  days: whole.optional(),
  /** Hours that a termination may take. */
  sla: whole.optional(),
  /** Proofs that are attached: none, or for so many entries. */
  proofs: whole.optional(),
});
export type Arguments = z.infer<typeof Arguments>;
export type ArgumentName = keyof Arguments;

export type Cell = string | number | boolean | undefined;
export type Row = Readonly<Record<string, Cell>>;

export type Answer = {
  readonly rows: readonly Row[];
  /** Numbers over the rows. */
  readonly summary?: Row;
  /** The facts and the entries of the log of decisions that the rows rest on. */
  readonly facts?: Iterable<number>;
  readonly decisions?: Iterable<number>;
  /** What the record does not hold of what was asked, and where an answer was cut: never silent. */
  readonly notes?: readonly string[];
  /** Whatever else proves the answer. */
  readonly proof?: Readonly<Record<string, unknown>>;
};

export type Asked = {
  readonly args: Arguments;
  readonly past: Past;
  readonly reader: AuditReader;
  readonly openEngine: () => Promise<Relationships>;
  /** Entries of the sealed logs. */
  readonly sizes: { readonly facts: number; readonly decisions: number };
  readonly sealedAt: string;
  readonly moment: Moment;
  readonly nowMs: number;
  /** Facts of the types recorded in the period, in their order. */
  readonly facts: <Type extends FactType>(...types: readonly Type[]) => Promise<readonly FoundFact<Type>[]>;
  /** The same, of the whole log up to the end of the period. */
  readonly allFacts: <Type extends FactType>(...types: readonly Type[]) => Promise<readonly FoundFact<Type>[]>;
  /** Types of facts that the log holds. */
  readonly typesLike: (pattern: RegExp) => readonly FactType[];
  /** Decisions of the period, oldest first; at most {@link rowsMax}, and whether there are more. */
  readonly decisions: (
    query: Omit<AuditQuery, 'limit' | 'cursor' | 'order'>,
  ) => Promise<{ readonly rows: readonly FoundRow[]; readonly more: boolean }>;
};
export type FoundFact<Type extends FactType> = Omit<ReadableFact, 'fact'> & { readonly fact: FactOf<Type> };

export type Question = {
  readonly number: number;
  readonly asks: string;
  readonly clauses: {
    readonly soc2: string;
    readonly iso27001: string;
    readonly pciDss: string;
    readonly hipaa: string;
  };
  readonly needs: readonly ArgumentName[];
  readonly takes: readonly ArgumentName[];
  readonly answer: (asked: Asked) => Promise<Answer>;
};

export const rowsMax = 10_000;

/** Pages through what is found, up to {@link rowsMax}. */
export const findUpTo = async (
  reader: Pick<AuditReader, 'find'>,
  log: LogName,
  query: Omit<AuditQuery, 'limit' | 'cursor'>,
  max = rowsMax,
): Promise<{ readonly rows: readonly FoundRow[]; readonly more: boolean }> => {
  const rows: FoundRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await reader.find(log, {
      ...query,
      limit: Math.min(pageRowsMax, max - rows.length),
      ...(cursor !== undefined && { cursor }),
    });
    rows.push(...page.rows);
    cursor = page.next;
  } while (cursor !== undefined && rows.length < max);
  return { rows, more: cursor !== undefined };
};

export const cutNote = (what: string): string =>
  `only the first ${rowsMax.toLocaleString('en')} ${what} are looked at; ask about a shorter time for the others`;

/** The share of sorted numbers; undefined of none. */
export const percentile = (sorted: readonly number[], share: number): number | undefined =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];

/** The first fact that says that no proxy allows otherwise any more. */
export const enforcedBehind = async (
  { past, sizes }: Pick<Asked, 'past' | 'sizes'>,
  sequence: number,
): Promise<FoundFact<'postern.enforcement.reached.v1'> | undefined> => {
  const all = past.history.under('type postern.enforcement.reached.v1');
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((all[middle] ?? 0) <= sequence) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < all.length; at++) {
    const found = all[at];
    if (found === undefined || found > sizes.facts) return undefined;
    const [entry] = await past.history.read([found]);
    if (entry?.fact.type === 'postern.enforcement.reached.v1' && entry.fact.data.reached >= sequence)
      return { ...entry, fact: entry.fact };
  }
  return undefined;
};
