/** Asked at the start, before anything is signed again: is what is gone what a fact says was pruned? */
import type { AuditReader, LogName } from '@postern/audit-store';
import { readLoggedFact } from '@postern/schemas';
import { toBase64 } from '@postern/schemas/tlog';
import { altered } from '../check-record.ts';
import type { LogTree } from '../tree.ts';

/** How many of the newest prunings are looked at: the one that is being carried out is among them. */
const pruningsLooked = 20;

/** The least index that the log holds; rejects with `audit/record-altered` where no fact says so. `tree` has grown to the whole log. */
export const checkPruned = async (
  reader: Pick<AuditReader, 'find' | 'prunedBefore' | 'entries'>,
  log: LogName,
  tree: Pick<LogTree, 'root'>,
): Promise<number> => {
  const before = await reader.prunedBefore(log);
  if (before === 0) return 0;
  const { rows } = await reader.find('facts', { type: 'postern.retention.pruned.v1', limit: pruningsLooked });
  for (const { index } of rows) {
    const [entry] = await reader.entries('facts', index, index + 1);
    const fact = entry === undefined ? undefined : readLoggedFact(entry).fact;
    if (fact?.type !== 'postern.retention.pruned.v1' || fact.data.log !== log || fact.data.before < before) continue;
    if (toBase64(await tree.root(fact.data.before)) !== fact.data.root)
      throw altered(log, `the ${fact.data.before} entries that were pruned are not those that fact ${index + 1} names`);
    return before;
  }
  throw altered(log, `the entries before ${before} are missing, and no fact says that they were pruned`);
};
