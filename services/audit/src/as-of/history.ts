/**
 * The facts by what they are about: which of a million matter to a question. Kept in memory, made from the record at the first
 * question and grown with it; it only finds entries, what they say is read from their signed bytes.
 */
import { setImmediate } from 'node:timers/promises';
import type { AuditReader } from '@postern/audit-store';
import { concernsOf, Fact, type FactType, type LoggedFact, Problem, readLoggedFact } from '@postern/schemas';

/** Entries read between two turns of the event loop: the record goes on being written meanwhile. */
const slice = 500;
/** Entries so near to each other are read in one go, with those between them. */
const gapMax = 16;
const runsAtOnce = 50;
/** Facts that were read last: one question after another is about the same model and the same people. */
const keptMax = 30_000;

export type ReadableFact = LoggedFact & { readonly fact: Fact };

export type History = {
  /** Takes in what the record holds up to `size` entries. */
  readonly grow: (size: number) => Promise<void>;
  /** Sequences under the name, oldest first. */
  readonly under: (name: string) => readonly number[];
  readonly services: () => Iterable<string>;
  /** ms since the epoch: when the fact was recorded, and when what it says is true from. */
  readonly recordedMs: (sequence: number) => number;
  readonly effectiveMs: (sequence: number) => number;
  readonly types: () => readonly FactType[];
  /** Entries that do not say that they stand where they stand. */
  readonly misplaced: () => readonly number[];
  /** The first fact that this version cannot read. */
  readonly unreadable: () => number | undefined;
  /** The facts of these sequences, in their order. Rejects with `audit/fact-unreadable`. */
  readonly read: (sequences: Iterable<number>) => Promise<readonly ReadableFact[]>;
};

const types: ReadonlySet<string> = new Set(Fact.options.map(({ shape }) => shape.type.value));
const utf8 = new TextDecoder();

export const history = (reader: Pick<AuditReader, 'entries'>): History => {
  const byName = new Map<string, number[]>();
  const services = new Set<string>();
  const recorded: number[] = [];
  const effective: number[] = [];
  const found = new Set<FactType>();
  const misplaced: number[] = [];
  let unreadable: number | undefined;
  let growing: Promise<void> = Promise.resolve();

  const kept = new Map<number, ReadableFact>();
  const keep = (sequence: number, fact: ReadableFact): void => {
    const [oldest] = kept.size >= keptMax ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    kept.set(sequence, fact);
  };

  const take = (bytes: Uint8Array): void => {
    const { type, time, recordedtime, sequence: said, data } = JSON.parse(utf8.decode(bytes));
    const sequence = recorded.push(Date.parse(recordedtime));
    effective.push(Date.parse(time));
    if (Number(said) !== sequence) misplaced.push(sequence);
    if (!types.has(type)) {
      unreadable ??= sequence;
      return;
    }
    found.add(type);
    for (const name of [`type ${type}`, ...concernsOf(type, data ?? {})]) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [sequence]);
      else if (known.at(-1) !== sequence) known.push(sequence);
      if (name.startsWith('service ')) services.add(name.slice('service '.length));
    }
  };
  const growTo = async (size: number): Promise<void> => {
    while (recorded.length < size) {
      const from = recorded.length;
      for (const bytes of await reader.entries('facts', from, Math.min(from + slice, size))) take(bytes);
      await setImmediate();
    }
  };
  return {
    grow: (size) => {
      growing = growing.catch(() => undefined).then(() => growTo(size));
      return growing;
    },
    under: (name) => byName.get(name) ?? [],
    services: () => services,
    recordedMs: (sequence) => recorded[sequence - 1] ?? Number.NaN,
    effectiveMs: (sequence) => effective[sequence - 1] ?? Number.NaN,
    types: () => [...found],
    misplaced: () => misplaced,
    unreadable: () => unreadable,
    read: async (sequences) => {
      const wanted = [...new Set(sequences)].sort((a, b) => a - b);
      const read = new Map<number, ReadableFact>();
      for (const sequence of wanted) {
        const fact = kept.get(sequence);
        if (fact !== undefined) read.set(sequence, fact);
      }
      let runs = 0;
      for (const run of runsOf(wanted.filter((sequence) => !read.has(sequence)))) {
        const first = run[0] ?? 1;
        const entries = await reader.entries('facts', first - 1, run.at(-1) ?? first);
        for (const sequence of run) {
          const bytes = entries[sequence - first];
          if (bytes === undefined) continue;
          const fact = readable(bytes, sequence);
          read.set(sequence, fact);
          keep(sequence, fact);
        }
        if (++runs % runsAtOnce === 0) await setImmediate();
      }
      return wanted.flatMap((sequence) => read.get(sequence) ?? []);
    },
  };
};

const readable = (bytes: Uint8Array, sequence: number): ReadableFact => {
  const entry = readLoggedFact(bytes);
  const { fact } = entry;
  if (fact === undefined)
    throw new Problem('audit/fact-unreadable', { detail: `fact ${sequence} of type ${entry.envelope.type}` });
  return { ...entry, fact };
};

function* runsOf(sequences: readonly number[]): Generator<number[]> {
  let run: number[] = [];
  for (const sequence of sequences) {
    const [first, last] = [run[0], run.at(-1)];
    if (first !== undefined && last !== undefined && (sequence - last > gapMax || sequence - first >= slice)) {
      yield run;
      run = [];
    }
    run.push(sequence);
  }
  if (run.length > 0) yield run;
}
