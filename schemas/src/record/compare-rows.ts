/**
 * The rows that a record is searched by are signed by nobody. They are judged all the same: each follows from the bytes of its
 * entry, so what is served is compared with what the entry says.
 */
import { readLoggedFact } from '../facts/log-entry.ts';
import { type AuditRow, derivedMembers, type RowMember, type ServedRow, servedMembers } from './row.ts';
import { decisionRows, factRow, unreadableRow, unreadableType } from './to-rows.ts';

export type RowFinding = {
  /** Of the entry. */
  readonly index: number;
  readonly id: string;
  readonly found: 'differs' | 'missing' | 'surplus' | 'out-of-order';
  /** What differs. */
  readonly members?: readonly RowMember[];
};
/** How many wrong rows are told of. */
export const findingsMax = 100;
export type SearchedLog = 'facts' | 'decisions';

/** What the rows of the entry have to say; `freely` where time and place of taking in are not in the bytes. */
type Expected = { readonly rows: readonly AuditRow[]; readonly freely: boolean };

/** Undefined for the bytes of a fact that stands at another place than its own, or is none. */
const expectedRows = (log: SearchedLog, index: number, bytes: Uint8Array): Expected | undefined => {
  if (log === 'decisions') {
    const read = decisionRows(bytes);
    if (read.outcome === 'read') return { rows: read.rows, freely: false };
    return { rows: [unreadableRow({ partition: '', offset: 0 }, '', read.why)], freely: true };
  }
  try {
    const entry = readLoggedFact(bytes);
    return Number(entry.sequence) === index + 1 ? { rows: [factRow(entry)], freely: false } : undefined;
  } catch {
    return undefined;
  }
};

/** What is wrong with the rows that are served for the entry at `index`, in their order. */
export const compareRows = (
  log: SearchedLog,
  index: number,
  bytes: Uint8Array,
  served: readonly ServedRow[],
): RowFinding[] => {
  const expected = expectedRows(log, index, bytes);
  if (expected === undefined) return [{ index, id: 'none can be derived from the entry', found: 'differs' }];
  if (expected.freely) return compareUnreadable(index, served);
  const findings: RowFinding[] = [];
  const left = new Set(served);
  expected.rows.forEach((row, place) => {
    const wanted = derivedMembers(row);
    const [there] = [served[place]].filter((each) => each?.id === row.id);
    const found = there ?? [...left].find(({ id }) => id === row.id);
    if (found === undefined || !left.delete(found)) {
      findings.push({ index, id: row.id, found: 'missing' });
      return;
    }
    const has = servedMembers(found);
    const members = [...new Set([...wanted.keys(), ...has.keys()])].filter(
      (name) => wanted.get(name) !== has.get(name),
    );
    if (members.length > 0) findings.push({ index, id: row.id, found: 'differs', members });
    else if (there === undefined) findings.push({ index, id: row.id, found: 'out-of-order' });
  });
  for (const { id } of left) findings.push({ index, id: String(id), found: 'surplus' });
  return findings;
};

/** An entry that nothing can be read from has one row that says so; where and when it came in is known to the row alone. */
const compareUnreadable = (index: number, served: readonly ServedRow[]): RowFinding[] => {
  const [first, ...more] = served;
  if (first === undefined) return [{ index, id: unreadableType, found: 'missing' }];
  const told = [...servedMembers(first).keys()].filter(
    (name) => !['id', 'at', 'type', 'reason', 'body'].includes(name),
  );
  const members: RowMember[] = first.type === unreadableType ? told : ['type', ...told];
  return [
    ...(members.length > 0 ? [{ index, id: String(first.id), found: 'differs' as const, members }] : []),
    ...more.map(({ id }) => ({ index, id: String(id), found: 'surplus' as const })),
  ];
};
