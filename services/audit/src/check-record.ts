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

/**
 * Against the checkpoint that was kept beside the key. Rejects with `audit/record-behind` where the record holds less, as after a
 * backup was restored: it may still grow back to what was signed, from the event log.
 */
const checkAnchor = async (log: LogName, tree: LogTree, keys: readonly NoteKey[], note: string): Promise<void> => {
  const opened = await openCheckpoint(note, keys);
  if (opened.outcome === 'refused') throw altered(log, `the anchor holds no checkpoint of ours: ${opened.why}`);
  const { size, root } = opened.checkpoint;
  if (size > tree.size())
    throw new Problem('audit/record-behind', {
      detail: `${log}: ${size} entries were signed, the record holds ${tree.size()}`,
      fix: 'Wait until ingest has taken in again what the event log still holds, or restore a newer backup.',
      members: { log, signed: size, size: tree.size() },
    });
  if (!equalBytes(await tree.root(size), root))
    throw altered(log, `fork: the first ${size} entries are not those that the anchor says were signed`);
};

/** The last checkpoint's size, 0 where none was sealed. Grows `tree` to the whole log. Rejects with `audit/record-altered` and `audit/record-behind`. */
export const checkTree = async (
  { writer, reader }: Pick<AuditStore, 'writer' | 'reader'>,
  log: LogName,
  tree: LogTree,
  keys: readonly NoteKey[],
  anchor: string | undefined,
): Promise<number> => {
  // The last of those that are kept is read first: what another instance seals in between makes the newest larger, never smaller.
  const last = await reader.checkpointWith(log, {});
  const sealed = await reader.checkpoint(log);
  if (last !== undefined && (sealed === undefined || sealed.size < last.size))
    throw altered(log, `the newest checkpoint is not the one that was signed last, over ${last.size} entries`);
  const { size, edge } = await writer.state(log);
  await tree.grow(size);
  if (!equalBytes(await tree.root(size), edgeRoot(sha256, edge)))
    throw altered(log, `the ${size} leaves are not those that were taken in`);
  if (anchor !== undefined) await checkAnchor(log, tree, keys, anchor);
  if (sealed === undefined) return 0;
  const opened = await openCheckpoint(sealed.note, keys);
  if (opened.outcome === 'refused') throw altered(log, `the last checkpoint is not ours: ${opened.why}`);
  const { checkpoint } = opened;
  if (checkpoint.size !== sealed.size || checkpoint.size > size)
    throw altered(log, `${checkpoint.size} entries were signed, the record holds ${size}`);
  if (!equalBytes(await tree.root(checkpoint.size), checkpoint.root))
    throw altered(log, `the first ${checkpoint.size} leaves are not those that were signed`);
  return checkpoint.size;
};
