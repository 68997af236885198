/**
 * A log's tree as this process has hashed it itself, from the stored leaves. It only grows; each 256 leaves leave one hash here
 * (about a megabyte for two million entries), so a proof reads a few hundred leaves and not the whole log.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import type { AuditReader, LogName } from '@postern/audit-store';
import { edgeRoot, growEdge, rangeRoot, type SubtreeRoot, tileWidth } from '@postern/schemas/tlog';
import { sha256 } from './sha256.ts';

export type LogTree = {
  readonly size: () => number;
  /** Takes in the stored leaves up to `to`; calls wait for each other. Smaller sizes change nothing. */
  readonly grow: (to: number) => Promise<void>;
  /** The root at `size`, at most what it has grown to. */
  readonly root: (size: number) => Promise<Uint8Array>;
  readonly subtree: SubtreeRoot;
};

const leavesPerRead = 16 * tileWidth;

export const logTree = (reader: Pick<AuditReader, 'leaves'>, log: LogName): LogTree => {
  /** The root of each full 256 leaves. */
  const groups: Uint8Array[] = [];
  /** Roots of wide subtrees that were asked for before. */
  const wide = new Map<string, Uint8Array>();
  let size = 0;
  let growing: Promise<void> = Promise.resolve();

  const fold = (hashes: readonly Uint8Array[]): Uint8Array => edgeRoot(sha256, growEdge(sha256, [], 0, hashes));

  const growNow = async (to: number): Promise<void> => {
    while (groups.length < Math.floor(to / tileWidth)) {
      const from = groups.length * tileWidth;
      const until = Math.min(from + leavesPerRead, Math.floor(to / tileWidth) * tileWidth);
      const leaves = await reader.leaves(log, from, until);
      for (let at = 0; at < leaves.length; at += tileWidth) groups.push(fold(leaves.slice(at, at + tileWidth)));
      // Hashing a long log at the start leaves room for whatever else this process does.
      await immediate();
    }
    size = Math.max(size, to);
  };

  const subtree: SubtreeRoot = async (from, to) => {
    if (to - from < tileWidth) return fold(await reader.leaves(log, from, to));
    const key = `${from}-${to}`;
    const known = wide.get(key);
    if (known !== undefined) return known;
    const root = fold(groups.slice(from / tileWidth, to / tileWidth));
    if (to - from > tileWidth ** 2) wide.set(key, root);
    return root;
  };

  return {
    size: () => size,
    grow: (to) => {
      growing = growing.catch(() => {}).then(() => growNow(to));
      return growing;
    },
    root: async (at) => (at === 0 ? edgeRoot(sha256, []) : rangeRoot(sha256, subtree, 0, at)),
    subtree,
  };
};
