/**
 * An evidence bundle, judged by its files alone: the same code in a browser, offline in the command, and anywhere else.
 *
 * Proven: every entry by its `.tlog-proof` under a checkpoint that a key of `vkeys.txt` signed, and each row of facts or decisions by
 * the entry that it follows from. The rows of a question are worked out from entries: they are held against the hashes in `query.json`
 * and the list of files, which notices damage, not a maker who lies; the entries they rest on are proven.
 */
import { commitmentOf } from '../privacy/sealed.ts';
import { compareRows } from '../record/compare-rows.ts';
import { parseServedRow } from '../record/row.ts';
import { fromBase64 } from '../tlog/base64.ts';
import { openCheckpoint } from '../tlog/checkpoint.ts';
import { webSha256 } from '../tlog/hash.ts';
import { type NoteKey, parseVkeys } from '../tlog/note.ts';
import { parseProof, verifyProof } from '../tlog/proof-text.ts';

export type BundleFiles = ReadonlyMap<string, Uint8Array>;
export type BundleFinding = {
  /** The row, counted from 1, where it is one that is wrong. */
  readonly row?: number;
  readonly file: string;
  readonly why: string;
};
export type BundleVerdict = {
  readonly outcome: 'verified' | 'wrong';
  readonly findings: readonly BundleFinding[];
  readonly rows: number;
  readonly entries: number;
};

export const bundleFormat = 'postern-evidence/1';
export const sumsFile = 'SHA256SUMS';
export const pageFile = 'index.html';
/** Texts that entries hold commitments of, a line each: `{ commitment, salt, text }`. */
export const textsFile = 'texts.ndjson';
const logs = ['facts', 'decisions'] as const;
type Log = (typeof logs)[number];

export const hexSha256 = async (bytes: Uint8Array): Promise<string> =>
  Array.from(await webSha256(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

const utf8 = new TextDecoder();
const encoder = new TextEncoder();
const objectOf = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

/** `trusted`: verifier keys that were kept elsewhere, one a line; left out, the bundle's own are believed. */
export const verifyBundle = async (files: BundleFiles, trusted?: string): Promise<BundleVerdict> => {
  const findings: BundleFinding[] = [];
  const wrong = (file: string, why: string, row?: number): void =>
    void findings.push({ file, why, ...(row !== undefined && { row }) });
  const textOf = (file: string): string => {
    const bytes = files.get(file);
    if (bytes === undefined) wrong(file, 'is missing');
    return utf8.decode(bytes ?? new Uint8Array());
  };
  const query = objectOf(textOf('query.json'));
  if (query['format'] !== bundleFormat) wrong('query.json', `is not of the format ${bundleFormat}`);
  const ownKeys = textOf('vkeys.txt');
  const keys = await parseVkeys(trusted ?? ownKeys);
  if (keys === undefined) wrong('vkeys.txt', 'holds no verifier keys');
  const rowTexts = textOf('rows.ndjson').split('\n');
  if (rowTexts.pop() !== '') wrong('rows.ndjson', 'does not end with a line');

  for (const [at, line] of textLines(files).entries()) {
    const salt = fromBase64(String(line['salt'])) ?? new Uint8Array();
    if ((await commitmentOf(salt, String(line['text']))) !== line['commitment'])
      wrong(textsFile, `line ${at + 1} is not the text that was committed to`);
  }
  await judgeSums(files, textOf(sumsFile), wrong);
  const proven = keys === undefined ? 0 : await judgeEntries(files, query, keys, wrong);
  const hashes = Array.isArray(query['rowHashes']) ? (query['rowHashes'] as unknown[]) : [];
  if (hashes.length !== rowTexts.length)
    wrong('rows.ndjson', `holds ${rowTexts.length} rows, where ${hashes.length} were written`);
  const log = logs.find((each) => each === query['kind']);
  for (const [at, text] of rowTexts.entries()) {
    if ((await hexSha256(encoder.encode(text))) !== hashes[at])
      wrong('rows.ndjson', 'is not the row that was written', at + 1);
    if (log === undefined) continue;
    const row = parseServedRow(text);
    const entry = files.get(`entries/${log}/${row.index}.json`);
    if (entry === undefined) wrong('rows.ndjson', `rests on entry ${row.index}, which is missing`, at + 1);
    else {
      const found = compareRows(log, row.index, entry, [row]).filter(
        ({ id, found }) => id === row.id && (found === 'differs' || found === 'surplus'),
      );
      for (const { members = [] } of found)
        wrong(
          'rows.ndjson',
          `does not say what entry ${row.index} says: ${members.join(', ') || 'it is none'}`,
          at + 1,
        );
      if (found.length === 0 && !new Set(idsIn(log, entry)).has(String(row.id)))
        wrong('rows.ndjson', `entry ${row.index} holds no ${String(row.id).slice(0, 60)}`, at + 1);
    }
  }
  return { outcome: findings.length === 0 ? 'verified' : 'wrong', findings, rows: rowTexts.length, entries: proven };
};

const textLines = (files: BundleFiles): Readonly<Record<string, unknown>>[] =>
  utf8
    .decode(files.get(textsFile) ?? new Uint8Array())
    .split('\n')
    .filter(Boolean)
    .map(objectOf);

/** The texts that the bundle brings for commitments; believe them once the bundle is verified. */
export const bundleTexts = (files: BundleFiles): ReadonlyMap<string, string> =>
  new Map(textLines(files).map(({ commitment, text }) => [String(commitment), String(text)]));

type Wrong = (file: string, why: string, row?: number) => void;

/** Ids that an entry speaks of; of one that cannot be read, whatever its row says. */
const idsIn = (log: Log, entry: Uint8Array): readonly string[] => {
  const read = objectOf(utf8.decode(entry));
  if (log === 'facts') return [String(read['id'])];
  const decisions = read['decisions'];
  return Array.isArray(decisions) ? decisions.map((each) => String((each as { id?: unknown }).id)) : [];
};

const judgeSums = async (files: BundleFiles, sums: string, wrong: Wrong): Promise<void> => {
  const listed = new Map<string, string>();
  for (const line of sums.split('\n').slice(0, -1)) {
    const [, sum, file] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? [];
    if (sum === undefined || file === undefined) wrong(sumsFile, 'holds a line that is no sum');
    else listed.set(file, sum);
  }
  if (!sums.endsWith('\n')) wrong(sumsFile, 'does not end with a line');
  for (const [file, sum] of listed) {
    const bytes = files.get(file);
    if (bytes === undefined) wrong(file, 'is missing');
    else if ((await hexSha256(bytes)) !== sum) wrong(file, 'is not the file that was written');
  }
  for (const file of files.keys())
    if (!listed.has(file) && file !== sumsFile && file !== pageFile) wrong(file, 'was put in: nothing lists it');
};

/** How many entries are proven. */
const judgeEntries = async (
  files: BundleFiles,
  query: Readonly<Record<string, unknown>>,
  keys: readonly NoteKey[],
  wrong: Wrong,
): Promise<number> => {
  const listed = (query['entries'] ?? {}) as Readonly<Partial<Record<Log, unknown>>>;
  let proven = 0;
  for (const log of logs) {
    const indexes = Array.isArray(listed[log]) ? (listed[log] as unknown[]) : undefined;
    if (indexes === undefined) continue;
    const note = files.get(`checkpoint/${log}`);
    const text = utf8.decode(note ?? new Uint8Array());
    const opened = await openCheckpoint(text, keys);
    if (opened.outcome === 'refused') {
      wrong(`checkpoint/${log}`, note === undefined ? 'is missing' : opened.why);
      continue;
    }
    if (!opened.checkpoint.origin.endsWith(`/${log}`)) wrong(`checkpoint/${log}`, `is of ${opened.checkpoint.origin}`);
    for (const index of indexes.map(Number)) {
      const [file, proof] = [`entries/${log}/${index}.json`, files.get(`proofs/${log}/${index}.tlog-proof`)];
      const entry = files.get(file);
      if (entry === undefined || proof === undefined) {
        wrong(entry === undefined ? file : `proofs/${log}/${index}.tlog-proof`, 'is missing');
        continue;
      }
      const proofText = utf8.decode(proof);
      const judged = await verifyProof(proofText, entry, keys);
      if (judged.outcome === 'refused') wrong(file, judged.why);
      else if (judged.index !== index) wrong(file, `is proven to stand at ${judged.index}`);
      else if (parseProof(proofText)?.checkpoint !== text) wrong(file, 'is proven under another checkpoint');
      else proven++;
    }
  }
  return proven;
};
