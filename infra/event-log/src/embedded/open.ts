/** The embedded event log: SQLite in this process, one owner, nothing to install. */
import { Problem } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { EventLog } from '../port.ts';
import { bell } from './bell.ts';
import { type DatabaseOptions, folderOf, openDatabase } from './database.ts';
import { embeddedFacts } from './facts.ts';
import { groupCommit } from './group-commit.ts';
import { embeddedRecords } from './records.ts';
import { toProblem } from './to-problem.ts';

export type EmbeddedOptions = DatabaseOptions & {
  /** The trace context of whoever writes, kept beside what is written. */
  readonly carrier?: () => Carrier;
};

const day = 86_400;
/** Audit has a week to read a decision, as with Kafka's default retention; heartbeats are worth nothing after minutes. */
const retentionSeconds = { decisions: 7 * day, enforcement: 3_600 };

export const openEmbedded = (url: string, { carrier = () => ({}), ...options }: EmbeddedOptions = {}): EventLog => {
  const where = url === 'memory:' ? 'memory' : folderOf(url);
  const database = openDatabase(url, options);
  const problem = (error: unknown): Problem =>
    database.isOpen
      ? toProblem(error, where, 'event-log/unreachable')
      : new Problem('event-log/unreachable', { detail: `the event log in ${where} is closed`, cause: error });
  const news = { facts: bell(), decisions: bell(), enforcement: bell(), quarantine: bell() };
  const commits = groupCommit(database, {
    rolledBack: () => facts.rolledBack(),
    // Where a commit failed for another reason than space, it may be found after a crash all the same.
    problem: (error) => (database.isOpen ? toProblem(error, where, 'event-log/outcome-unknown') : problem(error)),
  });
  const shared = { database, commits, carrier, problem };
  const facts = embeddedFacts({ ...shared, bell: news.facts });
  const records = (table: 'decisions' | 'enforcement' | 'quarantine', retentionSeconds?: number) =>
    embeddedRecords({
      ...shared,
      table,
      bell: news[table],
      ...(retentionSeconds !== undefined && { retentionSeconds }),
    });
  return {
    facts,
    decisions: records('decisions', retentionSeconds.decisions),
    enforcement: records('enforcement', retentionSeconds.enforcement),
    quarantine: records('quarantine'),
    ping: async () => {
      try {
        database.prepare('SELECT 1').get();
      } catch (error) {
        throw problem(error);
      }
    },
    [Symbol.asyncDispose]: async () => {
      if (!database.isOpen) return;
      commits.flush();
      database.close();
      // Followers wake, find the log closed and say so.
      for (const each of Object.values(news)) each.ring();
    },
  };
};
