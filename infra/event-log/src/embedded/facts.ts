/** The facts of an embedded log: one table keyed by sequence, written by this process alone. */
import type { DatabaseSync } from 'node:sqlite';
import {
  admit,
  type FactDraft,
  type LoggedFact,
  type LogPosition,
  logStart,
  next,
  Problem,
  type Sequence,
  sealAppend,
} from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Appended, FactBatch, FactLog } from '../port.ts';
import type { Bell } from './bell.ts';
import type { GroupCommit } from './group-commit.ts';
import { lastNumberOf } from './last-number.ts';

type Deps = {
  readonly database: DatabaseSync;
  readonly commits: GroupCommit;
  readonly bell: Bell;
  readonly carrier: () => Carrier;
  readonly problem: (error: unknown) => Problem;
};

/** A batch is cut behind the first whole append from here on. */
const batchRowsMin = 512;

export type EmbeddedFacts = FactLog & {
  /** Forgets what a failed transaction had begun. */ readonly rolledBack: () => void;
};

export const embeddedFacts = ({ database, commits, bell, carrier, problem }: Deps): EmbeddedFacts => {
  const insert = database.prepare('INSERT INTO facts (sequence, bytes, carrier) VALUES (?, ?, ?)');
  const behind = database.prepare('SELECT sequence, bytes, carrier FROM facts WHERE sequence > ? ORDER BY sequence');
  const lastNumber = lastNumberOf(database, 'facts');
  const onDisk = () => lastNumber() as Sequence;
  let head = onDisk();

  const read = (at: LogPosition): { batch: FactBatch; at: LogPosition } => {
    const entries: LoggedFact[] = [];
    const carriers = new Map<Sequence, Carrier>();
    for (const row of behind.iterate(at.head)) {
      const expected = next(at.head);
      if (row['sequence'] !== expected) throw truncated(expected, String(row['sequence']));
      // The table is the admission: what stands at a place was let in there, whoever's append it belonged to.
      const admission = admit({ ...at, appendId: appendIdOf(row['bytes'] as Uint8Array) }, row['bytes'] as Uint8Array);
      if (admission.outcome !== 'admitted')
        throw new Problem('event-log/corrupt', { detail: `fact ${expected} is not what was written` });
      const { id, appendid } = admission.entry.envelope;
      if (entries.length >= batchRowsMin && id === appendid) break;
      entries.push(admission.entry);
      at = admission.after;
      if (typeof row['carrier'] === 'string') carriers.set(admission.entry.sequence, JSON.parse(row['carrier']));
    }
    const last = onDisk();
    if (entries.length === 0 && last !== at.head)
      throw truncated(next(at.head), last < at.head ? `none behind ${last}` : 'none');
    return { at, batch: { entries, atHead: at.head === last, strangers: [], ...(carriers.size > 0 && { carriers }) } };
  };

  return {
    head: async () => {
      commits.flush();
      return head;
    },

    append: async (expected: Sequence, drafts: readonly FactDraft[]): Promise<Appended> => {
      const entries = sealAppend(expected, drafts);
      const hop = carrier();
      const carried = Object.keys(hop).length > 0 ? JSON.stringify(hop) : null;
      return commits.write(bell, (): Appended => {
        if (expected !== head) return { outcome: 'lost', head };
        for (const { sequence, bytes } of entries) insert.run(sequence, bytes, carried);
        head = next(expected, entries.length);
        return { outcome: 'appended', head, entries };
      });
    },

    rolledBack: () => {
      head = onDisk();
    },

    async *follow(after, { signal, beatMs = 1_000 }) {
      let at: LogPosition = { ...logStart, head: after };
      while (!signal.aborted) {
        let batch: FactBatch;
        try {
          ({ at, batch } = read(at));
        } catch (error) {
          throw problem(error);
        }
        yield batch;
        if (batch.atHead && head === at.head) await bell.wait(beatMs, signal);
      }
    },
  };
};

const appendIdOf = (bytes: Uint8Array): string => {
  try {
    return String(JSON.parse(new TextDecoder().decode(bytes)).appendid);
  } catch {
    return '';
  }
};

const truncated = (expected: Sequence, found: string): Problem =>
  new Problem('event-log/truncated', {
    detail: `this reader needs fact ${expected}, the log holds ${found}`,
    fix: 'Restore the log from a backup; do not let this reader go on from another place.',
    members: { expected },
  });
