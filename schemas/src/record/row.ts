/** What an entry of the record can be found by, and its one spelling for comparing. */

/** What an entry says, for searching. Absent members are unknown, not empty. */
export type AuditRow = {
  /** Fact id or decision id. */
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly outcome?: string;
  readonly reason?: string;
  /** Whom it is about: a fact's subject, a decision's principal. */
  readonly subject?: string;
  readonly actor?: string;
  readonly role?: string;
  readonly service?: string;
  readonly endpoint?: string;
  readonly sequence?: number;
  readonly trace?: string;
  /** The parsed fact or decision, as JSON text. */
  readonly body: string;
};

export const rowMembers = [
  'id',
  'at',
  'type',
  'outcome',
  'reason',
  'subject',
  'actor',
  'role',
  'service',
  'endpoint',
  'sequence',
  'trace',
  'body',
] as const satisfies readonly (keyof AuditRow)[];
export type RowMember = (typeof rowMembers)[number];

/** PostgreSQL stores neither NUL nor unpaired surrogates; the verbatim bytes stand in the entry. */
export const storableText = (text: string): string =>
  text.isWellFormed() && !text.includes('\0') ? text : text.toWellFormed().replaceAll('\0', '\ufffd');

/** A row as the audit room serves it: with its place, and with its fact or decision as what it is. */
export type ServedRow = Readonly<Partial<Record<RowMember, unknown>>> & { readonly index: number };

/** A line of JSON as it is served; one that is no row becomes one that stands at no place. */
export const parseServedRow = (line: string): ServedRow => {
  const row = objectIn(line);
  return { ...row, index: typeof row['index'] === 'number' ? row['index'] : Number.NaN };
};

/** What a line of JSON says of itself; nothing where it is no object. */
export const objectIn = (line: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

/** The members of a derived row, each in the spelling in which {@link servedMembers} spells what is served. */
export const derivedMembers = (row: AuditRow): ReadonlyMap<RowMember, string> =>
  servedMembers({
    ...Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === 'string' ? storableText(value) : value]),
    ),
    index: 0,
    body: JSON.parse(storableText(row.body)),
  });

export const servedMembers = (row: ServedRow): ReadonlyMap<RowMember, string> =>
  new Map(rowMembers.flatMap((name) => (row[name] === undefined ? [] : [[name, JSON.stringify(row[name], inOrder)]])));

/** Two objects with the same members are the same: earlier versions kept a decision's in another order. */
const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;
