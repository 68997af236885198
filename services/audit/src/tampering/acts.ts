/**
 * What somebody can do to a record who has its database, its files or its key, and how it is noticed: run by the tests beside this
 * file, and written into docs/explanation/tamper-evidence.md by page.ts.
 */
import type { Altered } from '@postern/schemas/record';

/** Where the act is noticed: by the writer before it signs, by verification, or by whoever kept something. */
export type Notice = {
  readonly by: 'postern audit verify' | 'the database' | 'the writer' | 'a witness' | 'postern audit monitor';
  /** What it is called there. */
  readonly says: Altered['what'] | 'refused' | 'audit/record-altered' | 'audit/record-behind' | 'contradicts';
  readonly index?: number;
};
export type Act = {
  readonly what: string;
  /** SQL, run by an administrator who has taken the triggers away first. */
  readonly statements: readonly string[];
  readonly notices: readonly Notice[];
};

const verify = (says: Altered['what'], index?: number): Notice => ({
  by: 'postern audit verify',
  says,
  ...(index !== undefined && { index }),
});
const writer: Notice = { by: 'the writer', says: 'audit/record-altered' };
/** SQLite's way to write one text over another of the same length inside of bytes. */
const inBytes = (index: number, from: string, to: string): string =>
  `UPDATE facts_entries SET bytes = CAST(replace(CAST(bytes AS TEXT), '${from}', '${to}') AS BLOB) WHERE idx = ${index}`;
const swap = (table: string, key: string, one: number, two: number): string[] => [
  `UPDATE ${table} SET ${key} = -1 WHERE ${key} = ${one}`,
  `UPDATE ${table} SET ${key} = ${one} WHERE ${key} = ${two}`,
  `UPDATE ${table} SET ${key} = ${two} WHERE ${key} = -1`,
];

/** A log of 300 facts and 4 batches of 3 decisions, sealed several times while it grew. */
export const databaseActs: readonly Act[] = [
  {
    what: 'one byte of an entry is changed',
    statements: [inBytes(267, 'user:ben', 'user:bem')],
    notices: [writer, verify('entry', 267)],
  },
  {
    what: 'the leaf of an entry is changed',
    statements: ['UPDATE facts_entries SET leaf = zeroblob(32) WHERE idx = 12'],
    notices: [writer, verify('entry', 12)],
  },
  {
    what: 'an entry is removed',
    statements: ['DELETE FROM facts_entries WHERE idx = 130'],
    notices: [writer, verify('missing', 0)],
  },
  {
    what: 'an entry is removed and those behind it close up',
    statements: [
      'DELETE FROM facts_entries WHERE idx = 130',
      ...Array.from({ length: 169 }, (_, at) => `UPDATE facts_entries SET idx = ${130 + at} WHERE idx = ${131 + at}`),
      "UPDATE heads SET size = 299 WHERE log = 'facts'",
    ],
    notices: [writer, verify('kept-checkpoint')],
  },
  {
    what: 'an entry is inserted behind the last',
    statements: [
      "INSERT INTO facts_entries (idx, bytes, leaf) VALUES (300, x'7b7d', zeroblob(32))",
      "UPDATE heads SET size = 301 WHERE log = 'facts'",
    ],
    notices: [writer],
  },
  {
    what: 'two entries change places',
    statements: swap('facts_entries', 'idx', 40, 41),
    notices: [writer, verify('kept-checkpoint')],
  },
  {
    what: 'the end is cut off, and the head says so',
    statements: [
      'DELETE FROM facts_entries WHERE idx >= 256',
      "UPDATE heads SET size = 256, edge = zeroblob(32) WHERE log = 'facts'",
    ],
    notices: [writer, verify('missing', 256)],
  },
  {
    what: 'the edge that hashing goes on from is changed',
    statements: ["UPDATE heads SET edge = zeroblob(128) WHERE log = 'facts'"],
    notices: [writer],
  },
  {
    what: 'the signed size is changed',
    statements: ["UPDATE seals SET note = replace(note, char(10) || '300' || char(10), char(10) || '299' || char(10))"],
    notices: [writer, verify('checkpoint')],
  },
  {
    what: 'the newest checkpoint is removed',
    statements: ["DELETE FROM seals WHERE log = 'facts'"],
    notices: [writer, verify('missing')],
  },
  {
    what: 'a kept checkpoint is removed',
    statements: ["DELETE FROM checkpoints WHERE log = 'facts' AND number = 2"],
    notices: [verify('kept-checkpoint')],
  },
  {
    what: 'a kept checkpoint is changed',
    statements: ["UPDATE checkpoints SET note = replace(note, '— ', '—  ') WHERE log = 'facts' AND number = 2"],
    notices: [verify('kept-checkpoint')],
  },
  {
    what: 'a kept checkpoint is replaced by another that is signed as well',
    statements: [
      "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE log = 'facts' AND number = 1) WHERE log = 'facts' AND number = 2",
    ],
    notices: [verify('kept-checkpoint')],
  },
  {
    what: 'a search row says another subject than its entry',
    statements: ["UPDATE facts_rows SET subject = 'user:eve' WHERE idx = 7"],
    notices: [verify('row', 7)],
  },
  {
    what: 'a search row says another text than its entry',
    statements: [
      "UPDATE facts_rows SET body = (SELECT replace(CAST(bytes AS TEXT), 'reason 20', 'reason 02') FROM facts_entries WHERE facts_entries.idx = 20) WHERE idx = 20",
    ],
    notices: [verify('row', 20)],
  },
  {
    what: "a search row takes its text from another decision's place",
    statements: [
      'UPDATE decisions_rows SET body_at = (SELECT body_at FROM decisions_rows WHERE idx = 1 AND ord = 0) WHERE idx = 1 AND ord = 1',
    ],
    notices: [verify('row', 1)],
  },
  {
    what: 'what a search by time reads leaves out the last day',
    statements: ['UPDATE facts_spans SET high_ms = high_ms - 86400000, low_ms = low_ms - 86400000 WHERE grp = 0'],
    notices: [verify('row', 0)],
  },
  {
    what: 'a search row is filed under another time than its own',
    statements: ['UPDATE facts_rows SET at_ms = at_ms - 86400000 WHERE idx = 33'],
    notices: [verify('row', 33)],
  },
  {
    what: 'a search row is removed',
    statements: ['DELETE FROM facts_rows WHERE idx = 99'],
    notices: [verify('row', 99)],
  },
  {
    what: 'a search row is added that no entry has',
    statements: [
      "INSERT INTO facts_rows (idx, ord, at_ms, id, at, type, body) VALUES (5, 1, 0, 'x', '1970-01-01T00:00:00Z', 'x', '{}')",
    ],
    notices: [verify('row', 5)],
  },
  {
    what: 'a decision is made another outcome in its search row',
    statements: ["UPDATE decisions_rows SET outcome = 'allow' WHERE idx = 2 AND ord = 0"],
    notices: [verify('row', 2)],
  },
  {
    what: 'two decisions of a batch change places in the search',
    statements: swap('decisions_rows', 'ord', 1, 2),
    notices: [verify('row', 0)],
  },
  {
    what: 'a decision is missing from the search',
    statements: ['DELETE FROM decisions_rows WHERE idx = 3 AND ord = 2'],
    notices: [verify('row', 3)],
  },
];

/** What is done to every file of a copied log, byte by byte, and to its files as such. */
export const fileActs: readonly { readonly what: string; readonly notices: string }[] = [
  {
    what: 'any one byte of any file is changed (checkpoint, keys, tiles, entries, rows, kept checkpoints, proofs)',
    notices: '`postern audit verify --files` refuses the copy, each of the bytes',
  },
  { what: 'any one file is removed', notices: '`postern audit verify --files`: missing, tile, row or kept-checkpoint' },
  {
    what: 'any one file is cut off by a byte, or has one more',
    notices: '`postern audit verify --files` refuses the copy',
  },
  {
    what: 'two entries, two leaves or two rows change places',
    notices: '`postern audit verify --files`: entry, root or row',
  },
];

/** What only somebody else can notice, since everything that is there is consistent and signed. */
export const historyActs: readonly {
  readonly what: string;
  readonly notices: string;
  readonly test: string;
  readonly file: string;
}[] = [
  {
    what: 'the database is set back to a backup',
    notices:
      'the writer: `audit/record-behind`, until the record holds again what was signed; `postern audit verify --since`: rolled-back',
    test: 'a database that was set back to a backup signs nothing until it holds again what was signed, and then goes on',
    file: 'services/audit/src/restored-backup.int.test.ts',
  },
  {
    what: 'the database is set back and grows another way',
    notices: 'the writer: `audit/record-altered`, fork',
    test: 'a database that was set back and has grown another way is a fork: the writer says so and never signs it',
    file: 'services/audit/src/restored-backup.int.test.ts',
  },
  {
    what: 'the anchor beside the database is changed',
    notices: 'the writer: `audit/record-altered`',
    test: 'an anchor that was written over is named, and nothing is signed',
    file: 'services/audit/src/restored-backup.int.test.ts',
  },
  {
    what: 'database, files and anchor are replaced, and all of it is signed anew with the right key',
    notices:
      'whoever kept a checkpoint: `postern audit verify --since` and `postern audit monitor` say fork; a witness answers 422, and its operator has the evidence',
    test: 'a record that was replaced as a whole and signed anew is a fork for whoever kept a checkpoint, and for nobody else',
    file: 'services/audit/src/tampering/history.int.test.ts',
  },
  {
    what: 'two parties are shown two logs (a split view)',
    notices: 'a witness that both trust signs one of them alone',
    test: 'two of three witnesses make a checkpoint witnessed, one that is away holds nothing up, and a fork is said aloud',
    file: 'services/audit/src/witness/witness.int.test.ts',
  },
];
