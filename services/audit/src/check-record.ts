/**
 * Is the record what was signed? Asked at the start, before anything is signed again: the bytes against the leaves, the leaves
 * against the edge that ingest goes on from and against the last checkpoint. The rows are an index and are signed by nobody; a
 * later version may derive other ones, so they are compared by `postern audit verify` and do not keep the room from starting.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import type { AuditReader, AuditStore, LogName } from '@postern/audit-store';
import { Problem } from '@postern/schemas';
import { edgeRoot, equalBytes, leafHash, type NoteKey, openCheckpoint } from '@postern/schemas/tlog';
import { sha256 } from './sha256.ts';
import type { LogTree } from './tree.ts';

const entriesPerRead = 256;

export const altered = (log: LogName, why: string, index?: number): Problem =>
  new Problem('audit/record-altered', {
    detail: `${log}${index === undefined ? '' : ` at index ${index}`}: ${why}`,
    fix: 'Nothing is signed until the record is restored from a backup; keep the altered one as evidence.',
    members: { log, ...(index !== undefined && { index }) },
  });

/** Rejects with `audit/record-altered`, naming the first index in [from, to) whose bytes are not those of its leaf. */
export const checkEntries = async (
  reader: Pick<AuditReader, 'entries' | 'leaves'>,
  log: LogName,
  from: number,
  to: number,
): Promise<void> => {
  for (let at = from; at < to; at += entriesPerRead) {
    const until = Math.min(at + entriesPerRead, to);
    const [entries, leaves] = await Promise.all([reader.entries(log, at, until), reader.leaves(log, at, until)]);
    for (const [offset, bytes] of entries.entries()) {
      const leaf = leaves[offset];
      if (leaf === undefined || !equalBytes(leafHash(sha256, bytes), leaf))
        throw altered(log, 'the bytes do not hash to the leaf', at + offset);
    }
    await immediate();
  }
};

/** The last checkpoint's size, 0 where none was sealed. Grows `tree` to the whole log. Rejects with `audit/record-altered`. */
export const checkTree = async (
  { writer, reader }: Pick<AuditStore, 'writer' | 'reader'>,
  log: LogName,
  tree: LogTree,
  key: NoteKey,
): Promise<number> => {
  const sealed = await reader.checkpoint(log);
  const { size, edge } = await writer.state(log);
  await tree.grow(size);
  if (!equalBytes(await tree.root(size), edgeRoot(sha256, edge)))
    throw altered(log, `the ${size} leaves are not those that were taken in`);
  if (sealed === undefined) return 0;
  const opened = await openCheckpoint(sealed.note, key);
  if (opened.outcome === 'refused') throw altered(log, `the last checkpoint is not ours: ${opened.why}`);
  const { checkpoint } = opened;
  if (checkpoint.size !== sealed.size || checkpoint.size > size)
    throw altered(log, `${checkpoint.size} entries were signed, the record holds ${size}`);
  if (!equalBytes(await tree.root(checkpoint.size), checkpoint.root))
    throw altered(log, `the first ${checkpoint.size} leaves are not those that were signed`);
  return checkpoint.size;
};
