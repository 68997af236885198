/**
 * The authorizer once more, from the log: every append is folded and written into an engine of its own, as it was written then. What is
 * asked of it at a place of the log is answered as of that place.
 */
import { hash } from 'node:crypto';
import type { Reached, Relationships } from '@postern/relationships';
import {
  beginning,
  type Fact,
  isProblem,
  type LoggedFact,
  Organisation,
  Problem,
  type Relationship,
  type RelationshipUpdate,
  relationshipsText,
} from '@postern/schemas';

export type Rebuilt = AsyncDisposable & {
  readonly organisation: Organisation;
  readonly engine: Relationships;
  readonly reached: () => Reached;
  /** The changes of the graph since it was last asked. */
  readonly changed: () => readonly RelationshipUpdate[];
  /** Takes facts in, in their order; one append is taken in whole. */
  readonly take: (append: readonly LoggedFact[]) => Promise<void>;
  /** Writes what has been taken in; until then {@link Rebuilt.reached} stays behind. */
  readonly settle: () => Promise<void>;
};

/** Owns the engine that it opens. */
export const rebuild = async (openEngine: () => Promise<Relationships>): Promise<Rebuilt> => {
  const engine = await openEngine();
  const organisation = new Organisation();
  let reached: Reached = { sequence: beginning, zookie: '' as Reached['zookie'], place: undefined };
  let schema: string | undefined;
  let changed: RelationshipUpdate[] = [];
  let pending: RelationshipUpdate[] = [];

  const write = async (updates: readonly RelationshipUpdate[]): Promise<void> => {
    const to = organisation.sequence;
    const written = await engine
      .project({ from: reached.sequence, to, updates, facts: [], actor: 'replay', onTheWay: false })
      .catch(async (error: unknown) => {
        // The authorizer sets aside what the schema does not know, and goes on.
        if (!isProblem(error, 'authorizer/relationship-refused')) throw error;
        if (updates.length > 1) {
          const half = Math.ceil(updates.length / 2);
          await write(updates.slice(0, half));
          await write(updates.slice(half));
        } else await write([]);
        return undefined;
      });
    if (written?.outcome === 'lost')
      throw new Problem('runtime/internal', { detail: 'somebody else writes to the replay' });
    if (written !== undefined) reached = written.reached;
  };
  const settle = async (): Promise<void> => {
    const text = organisation.schema;
    const updates = pending;
    pending = [];
    if (text !== undefined && text !== schema) {
      // What the next schema does not know goes before it, what the last one did not know comes behind it.
      if (schema !== undefined) await write(updates.filter(({ operation }) => operation === 'delete'));
      await engine.writeSchema(text);
      schema = text;
    }
    if (schema !== undefined && (updates.length > 0 || reached.sequence !== organisation.sequence))
      await write(updates);
  };
  return {
    organisation,
    engine,
    reached: () => reached,
    changed: () => {
      const since = changed;
      changed = [];
      return since;
    },
    take: async (append) => {
      const before = organisation.schema;
      for (const entry of append) {
        const updates = organisation.apply(readable(entry));
        pending.push(...updates);
        changed.push(...updates);
      }
      if (organisation.schema !== before) {
        await settle();
      }
    },
    settle,
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
};

const readable = (entry: LoggedFact): LoggedFact & { readonly fact: Fact } => {
  const { fact } = entry;
  if (fact === undefined)
    throw new Problem('audit/fact-unreadable', { detail: `fact ${entry.sequence} of type ${entry.envelope.type}` });
  return { ...entry, fact };
};

/** SHA-256 over one line of text a relationship, sorted: the same for the same set, wherever it is held. */
export const digestOf = (relationships: Iterable<Relationship>): string =>
  hash('sha256', relationshipsText(relationships), 'hex');

export type RebuildCheck = {
  readonly sequence: number;
  readonly relationships: number;
  /** Of the fold of all facts so far. */
  readonly folded: string;
  /** Of what the engine holds, to which every change was written as it came. */
  readonly held: string;
};

/** Compares the fold with the engine after every `every` facts and at the end. */
export async function* rebuildChecks(
  openEngine: () => Promise<Relationships>,
  appends: AsyncIterable<readonly LoggedFact[]>,
  every: number,
): AsyncGenerator<RebuildCheck> {
  await using rebuilt = await rebuild(openEngine);
  const { organisation, engine, take, settle } = rebuilt;
  let next = every;
  let checked = -1;
  const check = async (): Promise<RebuildCheck> => {
    await settle();
    checked = organisation.sequence;
    const held = await Array.fromAsync(engine.read());
    return {
      sequence: organisation.sequence,
      relationships: held.length,
      folded: digestOf(organisation.relationships()),
      held: digestOf(held),
    };
  };
  for await (const append of appends) {
    await take(append);
    if (organisation.sequence < next) continue;
    yield await check();
    next = organisation.sequence + every;
  }
  if (checked !== organisation.sequence) yield await check();
}

/** Facts as they come, an append at a time. */
export async function* appendsOf(facts: AsyncIterable<LoggedFact>): AsyncGenerator<readonly LoggedFact[]> {
  let append: LoggedFact[] = [];
  for await (const fact of facts) {
    if (append.length > 0 && append[0]?.envelope.appendid !== fact.envelope.appendid) {
      yield append;
      append = [];
    }
    append.push(fact);
  }
  if (append.length > 0) yield append;
}
