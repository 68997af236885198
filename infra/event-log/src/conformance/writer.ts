/** A process that appends three facts at a time and prints each acknowledged head, until it is killed. */
import { openEventLog } from '../open.ts';
import { drafts } from './drafts.ts';

const [, , url = ''] = process.argv;
const log = await openEventLog(url);
for (let head = await log.facts.head(); ; ) {
  const result = await log.facts.append(head, drafts(`killed-${head}`, 3));
  if (result.outcome === 'appended') process.stdout.write(`${result.head}\n`);
  head = result.head;
}
