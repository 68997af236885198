/** Facts: their sequence is their place, so the record's own size says where to go on, and index = sequence − 1. */
import type { FactLog } from '@postern/event-log';
import { type LoggedFact, Problem, type Sequence } from '@postern/schemas';
import { factRow } from '@postern/schemas/record';
import { leafHash } from '@postern/schemas/tlog';
import type { Incoming, Source } from './ingest.ts';
import { sha256 } from './sha256.ts';

export const factsSource = (facts: Pick<FactLog, 'follow'>): Source => ({
  log: 'facts',
  async *follow({ size }, signal) {
    let next = size + 1;
    for await (const { entries, atHead, carriers } of facts.follow(size as Sequence, { signal })) {
      const incoming: Incoming[] = [];
      for (const entry of entries) {
        if (entry.sequence > next) throw gap(next, entry.sequence);
        if (entry.sequence < next) continue;
        const carrier = carriers?.get(entry.sequence);
        incoming.push({ ...toIncoming(entry), ...(carrier !== undefined && { carrier }) });
        next++;
      }
      yield { incoming, atHead };
    }
  },
});

const toIncoming = (entry: LoggedFact): Incoming => ({
  entry: { bytes: entry.bytes, leaf: leafHash(sha256, entry.bytes), rows: [factRow(entry)] },
  cursors: {},
});

const gap = (expected: number, found: number): Problem =>
  new Problem('audit/gap', {
    detail: `the record needs fact ${expected} next, the event log went on with ${found}`,
    fix: 'Restore the missing facts from a backup of the event log; the record is not continued over a gap.',
    members: { expected, found },
  });
