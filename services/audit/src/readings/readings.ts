/**
 * Who read the record becomes a fact. Readings that are alike (the same reader, the same names and values but for times and pages)
 * are told of at once the first time, and then together: a page that refreshes itself does not fill the log. See docs/adr/0025.
 */
import type { Clock, Logger } from '@postern/runtime';
import { type Actor, type AuditRead, type FactDraft, Problem, type ReadKind } from '@postern/schemas';
import type { OwnFacts } from './appending.ts';
import { ownFact } from './appending.ts';

export type Reading = {
  readonly what: ReadKind;
  readonly query: Readonly<Record<string, string>>;
  readonly rows: number;
  readonly reader: Actor;
  readonly credential?: string | undefined;
};

export type Readings = {
  /** Throws `audit/reading-unrecorded` where what was read before cannot be recorded. */
  readonly require: () => void;
  readonly note: (reading: Reading) => void;
  /** Writes what is due; the readings stay noted where the log is away. */
  readonly flush: (everything?: boolean) => Promise<void>;
};

export type ReadingsConfig = {
  /** How long readings that are alike are told of together. */
  readonly togetherMs: number;
  /** Readings that wait for the log, told apart as above; beyond it nothing is handed out. */
  readonly waitingMax: number;
};
export const usualReadings: ReadingsConfig = { togetherMs: 900_000, waitingMax: 1_000 };

type Waiting = { readonly key: string; readonly actor: Actor; data: AuditRead; readonly dueMs: number };

// What these names stand for is opaque ids, sequences and times; the values of all others (an address, a country) stay out of the log.
const told = new Set(
  'at from to since until known subject endpoint role grant review decision sequence size days sla id type outcome service trace question kind path'.split(
    ' ',
  ),
);
// They differ from one refresh to the next.
const moving = new Set('at from to since until size'.split(' '));
const silent = new Set(['cursor', 'limit', 'proofs', 'order']);

const appendFactsMax = 100;

export const readings = (
  { facts, clock, log }: { readonly facts: OwnFacts; readonly clock: Clock; readonly log: Logger },
  { togetherMs, waitingMax }: ReadingsConfig = usualReadings,
): Readings => {
  const waiting = new Map<string, Waiting>();
  // When a reading of a kind was told of, by its key: until then the next ones wait.
  const toldAt = new Map<string, number>();
  let writing: Promise<void> = Promise.resolve();
  let warned = false;

  const draftOf = ({ actor, data }: Waiting): FactDraft => ownFact(clock, 'postern.audit.read.v1', data, actor);
  const drafts = new Map<Waiting, FactDraft>();

  const write = async (everything: boolean): Promise<void> => {
    const now = clock.elapsed();
    for (const [key, at] of toldAt) if (now - at >= togetherMs) toldAt.delete(key);
    const due = [...waiting.values()].filter((each) => everything || each.dueMs <= now).slice(0, appendFactsMax);
    if (due.length === 0) return;
    // From here on they are what they are: the same facts are given again where no answer came.
    for (const each of due) {
      if (!drafts.has(each)) drafts.set(each, draftOf(each));
      waiting.delete(each.key);
      // What comes while this is being written is told of together, too.
      toldAt.set(each.key, now);
      waiting.set(`${drafts.get(each)?.id}`, each);
    }
    try {
      await facts.append(due.flatMap((each) => drafts.get(each) ?? []));
    } catch (error) {
      if (!warned) log.warn({ err: error }, 'who read the record cannot be recorded now; it is tried again');
      warned = true;
      return;
    }
    warned = false;
    for (const each of due) {
      waiting.delete(`${drafts.get(each)?.id}`);
      drafts.delete(each);
    }
    if (everything && waiting.size > 0) await write(everything);
  };

  return {
    require: () => {
      if (waiting.size >= waitingMax)
        throw new Problem('audit/reading-unrecorded', {
          detail: `${waiting.size} kinds of readings wait for the event log`,
          fix: 'Bring the event log back; what was read is written then, and the record can be read again.',
        });
    },
    note: (reading) => {
      const at = new Date(clock.now()).toISOString();
      const key = keyOf(reading);
      const known = waiting.get(key);
      if (known !== undefined) {
        const { readings, rows } = known.data;
        known.data = { ...known.data, readings: readings + 1, rows: rows + reading.rows, last: at };
        return;
      }
      const before = toldAt.get(key);
      const dueMs = before === undefined ? clock.elapsed() : before + togetherMs;
      waiting.set(key, { key, actor: reading.reader, data: dataOf(reading, at), dueMs });
    },
    flush: (everything = false) => {
      writing = writing.then(() => write(everything));
      return writing;
    },
  };
};

const keyOf = ({ reader, credential, what, query }: Reading): string =>
  JSON.stringify([
    reader.authid,
    credential,
    what,
    Object.entries(query)
      .filter(([name]) => !silent.has(name))
      .map(([name, value]) => [name, moving.has(name) || !told.has(name) ? '' : value])
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  ]);

const dataOf = ({ what, query, rows, credential }: Reading, at: string): AuditRead => {
  const names = Object.keys(query).filter((name) => !silent.has(name));
  const others = names.filter((name) => !told.has(name)).slice(0, 30);
  return {
    what,
    query: Object.fromEntries(
      names.filter((name) => told.has(name)).map((name) => [name, (query[name] ?? '').slice(0, 300)]),
    ),
    ...(others.length > 0 && { others: others.map((name) => name.slice(0, 50)) }),
    readings: 1,
    rows,
    first: at,
    last: at,
    ...(credential !== undefined && { credential }),
  };
};
