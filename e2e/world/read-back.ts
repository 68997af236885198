/** What processes left in a log: every fact of it, and the organisation that they make. */
import assert from 'node:assert/strict';
import { openEventLog } from '@postern/event-log/open';
import { beginning, type Fact, type LoggedFact, Organisation } from '@postern/schemas';

export type ReadFact = LoggedFact & { readonly fact: Fact };

/** `url`: the log's. Every fact can be read, and the last one is the head. */
export const factsIn = async (url: string): Promise<ReadFact[]> => {
  await using log = await openEventLog(url);
  const head = await log.facts.head();
  const found: ReadFact[] = [];
  const over = new AbortController();
  for await (const { entries, atHead } of log.facts.follow(beginning, { signal: over.signal })) {
    for (const entry of entries) {
      assert.ok(entry.fact, `fact ${entry.sequence} can be read`);
      found.push({ ...entry, fact: entry.fact });
    }
    if (atHead) over.abort();
  }
  assert.ok((found.at(-1)?.sequence ?? 0) >= head);
  return found;
};

export const organisationOf = (entries: readonly ReadFact[]): Organisation => {
  const organisation = new Organisation();
  for (const entry of entries) organisation.apply(entry);
  return organisation;
};
