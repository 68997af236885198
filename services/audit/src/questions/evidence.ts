/** The evidence beside an answer: the signed heads it was computed under, and a proof for the entries that its rows rest on. */
import type { AuditReader, LogName, SealedCheckpoint } from '@postern/audit-store';
import { proveInclusion, writeProof } from '@postern/schemas/tlog';
import { sha256 } from '../sha256.ts';
import type { LogTree } from '../tree.ts';

export type EvidenceDeps = {
  readonly reader: Pick<AuditReader, 'checkpoint'>;
  readonly trees: Readonly<Record<LogName, LogTree>>;
};

export type Proven = {
  readonly size: number;
  readonly checkpoint: string;
  /** How many entries the rows rest on; all of them can be proven (`log/facts/proof/N`), so many are attached. */
  readonly entries: number;
  /** `.tlog-proof` files; of the facts, entry N is fact N + 1. */
  readonly proofs: readonly { readonly index: number; readonly proof: string }[];
};

export const prove = async (
  { trees }: Pick<EvidenceDeps, 'trees'>,
  log: LogName,
  { size, note }: SealedCheckpoint,
  entries: Iterable<number>,
  max: number,
): Promise<Proven> => {
  const indexes = [...new Set(entries)].filter((index) => index >= 0 && index < size).sort((a, b) => a - b);
  const tree = trees[log];
  if (indexes.length > 0) await tree.grow(size);
  const proofs = [];
  for (const index of indexes.slice(0, max))
    proofs.push({
      index,
      proof: writeProof({ index, path: await proveInclusion(sha256, tree.subtree, index, size), checkpoint: note }),
    });
  return { size, checkpoint: note, entries: indexes.length, proofs };
};
