/** An evidence bundle: rows, the entries they rest on, a proof for each, the signed heads, the keys, and a page that verifies it all. */

import type { AuditReader, LogName, SealedCheckpoint } from '@postern/audit-store';
import type { SealedStore } from '@postern/profiles';
import { sealedIn } from '@postern/schemas';
import { bundleFormat, hexSha256, pageFile, sumsFile, textsFile } from '@postern/schemas/evidence';
import { proveInclusion, toBase64, vkeyText, writeProof } from '@postern/schemas/tlog';
import { zipSync } from 'fflate';
import type { PublishedLog } from '../routes/published-log.ts';
import { sha256 } from '../sha256.ts';
import { toPage } from './to-page.ts';
import { verifyText } from './verify-text.ts';

export type Exported = {
  readonly kind: string;
  readonly asks: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly rows: readonly unknown[];
  /** Whatever was said beside the rows. */
  readonly said: Readonly<Record<string, unknown>>;
  /** Indexes of the entries that the rows rest on, and the heads that they were read under. */
  readonly entries: Readonly<Partial<Record<LogName, Iterable<number>>>>;
  readonly heads: Readonly<Partial<Record<LogName, SealedCheckpoint>>>;
};

export type BundleDeps = {
  readonly reader: Pick<AuditReader, 'entries'>;
  readonly logs: readonly PublishedLog[];
  /** Texts that entries hold commitments of; what was erased is not there. */
  readonly sealed?: Pick<SealedStore, 'find'> | undefined;
};

/** What a bundle holds at most: it is made, and verified in a browser, whole. */
export const bundleEntriesMax = 10_000;

const encoder = new TextEncoder();

export const bundleFiles = async (
  { reader, logs, sealed }: BundleDeps,
  { kind, asks, query, rows, said, entries, heads }: Exported,
): Promise<Map<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>();
  const lines = rows.map((row) => JSON.stringify(row));
  const listed: Partial<Record<LogName, readonly number[]>> = {};
  const proofs = new Map<string, Uint8Array>();
  for (const log of logs) {
    const [head, resting] = [heads[log.name], entries[log.name]];
    if (head === undefined || resting === undefined) continue;
    const indexes = [...new Set(resting)].filter((index) => index >= 0 && index < head.size).sort((a, b) => a - b);
    listed[log.name] = indexes;
    await log.tree.grow(head.size);
    for (const index of indexes) {
      const [entry] = await reader.entries(log.name, index, index + 1);
      if (entry === undefined) continue;
      const path = await proveInclusion(sha256, log.tree.subtree, index, head.size);
      proofs.set(`entries/${log.name}/${index}.json`, entry);
      const proof = writeProof({ index, path, checkpoint: head.note });
      proofs.set(`proofs/${log.name}/${index}.tlog-proof`, encoder.encode(proof));
    }
    proofs.set(`checkpoint/${log.name}`, encoder.encode(head.note));
  }
  const disclosed = await openings(lines, sealed);
  const rowHashes = [];
  for (const line of lines) rowHashes.push(await hexSha256(encoder.encode(line)));
  const put = (name: string, text: string): void => void files.set(name, encoder.encode(text));
  put(
    'query.json',
    `${JSON.stringify({ format: bundleFormat, kind, asks, query, ...said, count: rows.length, entries: listed, rowHashes }, undefined, 1)}\n`,
  );
  put('rows.ndjson', lines.map((line) => `${line}\n`).join(''));
  if (disclosed !== undefined) put(textsFile, disclosed);
  for (const [name, bytes] of proofs) files.set(name, bytes);
  put('vkeys.txt', logs.flatMap((log) => log.keys().map((key) => `${vkeyText(key)}\n`)).join(''));
  put('VERIFY.md', verifyText);
  let sums = '';
  for (const [name, bytes] of files) sums += `${await hexSha256(bytes)}  ${name}\n`;
  put(sumsFile, sums);
  put(pageFile, toPage(files));
  return files;
};

/** The texts behind the rows' commitments, each with its salt: whoever hashes both has the commitment. */
const openings = async (lines: readonly string[], sealed: BundleDeps['sealed']): Promise<string | undefined> => {
  const commitments = [...sealedIn([...lines])];
  if (commitments.length === 0 || sealed === undefined) return undefined;
  const found = await sealed.find(commitments).catch(() => []);
  return found
    .map(({ commitment, salt, text }) => `${JSON.stringify({ commitment, salt: toBase64(salt), text })}\n`)
    .join('');
};

export const zipped = (files: ReadonlyMap<string, Uint8Array>, at: number): Uint8Array =>
  zipSync(Object.fromEntries(files), { level: 6, mtime: at });
