/**
 * Proxies publish a batch again, under its number, when they do not know that the log has it: after a connection broke, or were
 * killed. Such a repetition is no entry of the record. It is recognised by what the record holds, not by its number alone: whatever
 * has not been taken in is taken in, however it is numbered.
 */
import type { AuditReader } from '@postern/audit-store';
import { decisionRows, type ReadBatch } from '@postern/schemas/record';

type Batch = Extract<ReadBatch, { outcome: 'read' }>;
type Repetitions = {
  /** False in the ordinary case: the batch comes behind the last of its instance that was taken in here. */
  readonly suspects: (batch: Batch) => boolean;
  /** Is all of it in the record? Whatever came before has to be. Rejects with what the store does. */
  readonly has: (batch: Batch, bytes: Uint8Array) => Promise<boolean>;
  readonly taken: (batch: Batch) => void;
};

/** How many proxies' numbers are kept; one that is not known is looked up. */
const instancesMax = 10_000;

export const repetitions = (reader: Pick<AuditReader, 'find' | 'entries'>): Repetitions => {
  const last = new Map<string, number>();
  return {
    suspects: ({ instance, batch }) => batch <= (last.get(instance) ?? Number.POSITIVE_INFINITY),
    has: async (batch, bytes) => {
      const id = batch.rows[0]?.id;
      const { rows } = await reader.find('decisions', { ...(id !== undefined && { id }), limit: 10 });
      for (const { index } of rows) {
        const [entry] = await reader.entries('decisions', index, index + 1);
        if (entry === undefined) continue;
        if (Buffer.from(entry).equals(bytes)) return true;
        // A power failure can leave a journal with the beginning of a batch that was published whole.
        const there = decisionRows(entry);
        if (there.outcome !== 'read' || there.instance !== batch.instance || there.batch !== batch.batch) continue;
        const bodies = new Set(there.rows.map(({ body }) => body));
        if (batch.rows.every(({ body }) => bodies.has(body))) return true;
      }
      return false;
    },
    taken: ({ instance, batch }) => {
      if (last.size >= instancesMax) last.clear();
      last.set(instance, Math.max(batch, last.get(instance) ?? 0));
    },
  };
};
