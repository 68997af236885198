/**
 * A recorder in a process of its own, for tests that end it. Arguments: the log's folder, the journal's, a name, how many decisions.
 * Says `taken <id>` once a decision may pass, `refused <why>` where it may not; the log is away by turns where asked for.
 */
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { openEventLog } from '@postern/event-log/open';
import { silentLogger } from '@postern/runtime';
import { openJournal } from '../journal/journal.ts';
import { recorder } from '../record.ts';

const [folder = '', journalFolder = '', name = '', wanted = '0', way = 'by-turns'] = process.argv.slice(2);
await using log = await openEventLog(way === 'away' ? 'memory:' : `file:${folder}`);
using journal = openJournal(journalFolder, { segmentBytes: 20_000 });
/** Heard even if this process ends at once; whoever listens may be behind. */
const say = (text: string): void => {
  for (;;) {
    try {
      writeSync(1, text);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
};
const began = performance.now();
const away = (): boolean =>
  way === 'away' || (way === 'by-turns' && Math.floor((performance.now() - began) / 60) % 2 === 1);
const publish: typeof log.decisions.publish = (records) =>
  away() ? Promise.reject(new Error('the log is away')) : log.decisions.publish(records);
const records = recorder(
  { publish },
  { instance: name, decisionsMax: 1_000_000, journal, elapsed: () => performance.now(), log: silentLogger },
);
for (let number = 1; number <= Number(wanted); number++) {
  const id = `${name}-${number}`;
  const taken = records.take({
    id,
    at: '2030-01-01T00:00:00.000Z',
    outcome: 'allow',
    method: 'GET',
    path: `/${'x'.repeat(number % 300)}`,
  });
  say(taken ? `taken ${id}\n` : `refused ${records.full()}\n`);
  if (number % 50 === 0) await pause(2);
}
while (way === 'up' && records.waiting() > 0) await pause(5);
await records.stop(way === 'up' ? 5_000 : 0);
