/**
 * Brings folded facts into the engine, in order, each once. The checkpoint decides what was written: after a lost race, a crash or
 * an answer that never came, it is read again and the rest goes on from there.
 */
import type { Reached, Relationships } from '@postern/relationships';
import {
  beginning,
  gateTypes,
  isProblem,
  type RelationshipUpdate,
  relationshipKey,
  type Sequence,
} from '@postern/schemas';
import { actorOf, type Pending } from './backlog.ts';

export type Writer = {
  /** Where the engine stands, as far as this writer knows. */
  readonly checkpoint: () => Reached;
  /** Relationships of engineers' objects that the schema in force does not know, by their keys. */
  readonly aside: () => readonly string[];
  /**
   * Writes what it can of the pending facts and keeps the rest. Answers with what holds it up, if anything does: then it goes on
   * behind the next schema that the engine takes. Rejects with {@link Rewound}, or with the engine's `authorizer/engine-unreachable`.
   * Where that takes several writes, the engine is on its way from before the first until behind the last: nobody is answered meanwhile.
   */
  readonly write: (facts: readonly Pending[]) => Promise<string | undefined>;
  /** Writes what differs from the facts at the checkpoint, without moving it; sets aside what the schema does not know. */
  readonly mend: (updates: readonly RelationshipUpdate[]) => Promise<'written' | 'lost'>;
  /** Compares with the engine's own checkpoint: somebody else may have moved it on; rejects with {@link Rewound}. */
  readonly compare: () => Promise<void>;
};

/** The engine stands before the place it stood at: it was emptied or replaced. */
export class Rewound extends Error {}

/** Called once for each relationship that is set aside. */
export type OnAside = (update: RelationshipUpdate, why: string) => void;

const author = 'postern/authorizer';

/** More updates than this take the engine several transactions. */
export const updatesAtOnce = 900;

const parted = (updates: readonly RelationshipUpdate[]): [RelationshipUpdate[], RelationshipUpdate[]] => {
  const ofObjects = ({ relationship: { resource } }: RelationshipUpdate): boolean =>
    resource.startsWith('object_permission:') || !gateTypes.has(resource.slice(0, resource.indexOf(':')));
  return [updates.filter(ofObjects), updates.filter((update) => !ofObjects(update))];
};

export const writer = (engine: Relationships, start: Reached, onAside: OnAside = () => {}): Writer => {
  const aside = new Map<string, RelationshipUpdate>();
  let checkpoint = start;
  let backlog: Pending[] = [];
  /** The schema this writer has put in since the checkpoint last moved: a faster projector's newer one may lie under it. */
  let uncertainSchema = false;
  let schemaInForce: string | undefined;

  const catchUp = async (): Promise<void> => {
    const now = await engine.reached();
    if (now.sequence < checkpoint.sequence)
      throw new Rewound(`the engine stood at ${checkpoint.sequence} and stands at ${now.sequence} now`);
    checkpoint = now;
    for (const { sequence, schema } of backlog) if (sequence <= now.sequence) schemaInForce = schema ?? schemaInForce;
    backlog = backlog.filter(({ sequence }) => sequence > now.sequence);
  };

  const stay = async (onTheWay: boolean): Promise<void> => {
    const at = checkpoint.sequence;
    try {
      const stayed = await engine.project({ from: at, to: at, updates: [], facts: [], actor: author, onTheWay });
      if (stayed.outcome === 'lost') return await catchUp();
      checkpoint = stayed.reached;
    } catch (error) {
      // Without even the checkpoint's own type it is another engine than it was.
      if (!isProblem(error, 'authorizer/relationship-refused')) throw error;
      await catchUp();
    }
  };
  /** Several writes begin: from here on every authorizer that asks this engine is told to wait. */
  const leave = async (): Promise<void> => {
    if (checkpoint.place !== undefined) await stay(true);
  };
  /** What holds it up may last: what was reached is answered from. */
  const rest = async (why: string): Promise<string> => {
    if (checkpoint.place === undefined && checkpoint.sequence > beginning) await stay(false);
    return why;
  };

  /** Puts in force the first schema from `from` on that the engine takes; facts before it are then written under that one. */
  const advanceSchema = async (from: number): Promise<string | undefined> => {
    let refused: string | undefined;
    for (let at = from; at < backlog.length; at++) {
      const text = backlog[at]?.schema;
      if (text === undefined) continue;
      const { length } = backlog;
      await leave();
      // Another projector was faster, and has passed some of this: what is left is looked at anew.
      if (backlog.length < length) return undefined;
      try {
        await engine.writeSchema(text);
      } catch (error) {
        if (!isProblem(error, 'authorizer/schema-refused')) throw error;
        refused = `fact ${backlog[at]?.sequence}: ${error.message}`;
        continue;
      }
      schemaInForce = text;
      uncertainSchema = true;
      backlog = backlog.map((pending, index) => (index <= at ? withoutSchema(pending) : pending));
      return undefined;
    }
    return refused ?? 'no schema that the engine takes has been published yet';
  };

  const project = async (
    batch: readonly Pending[],
    to: Sequence,
    updates: readonly RelationshipUpdate[] = batch.flatMap((each) => each.updates),
  ): Promise<void> => {
    if (updates.length > updatesAtOnce) await leave();
    const written = await engine.project({
      from: checkpoint.sequence,
      to,
      updates,
      facts: batch.map(({ id }) => id),
      actor: actorOf(batch),
      onTheWay: checkpoint.place === undefined && batch.length < backlog.length,
    });
    if (written.outcome === 'written') {
      backlog = backlog.slice(batch.length);
      checkpoint = written.reached;
    } else {
      await catchUp();
      if (uncertainSchema && schemaInForce !== undefined) await engine.writeSchema(schemaInForce);
    }
    uncertainSchema = false;
  };

  /**
   * Relationships of the engineers' own objects come from other systems. One that the schema does not know must not stop the gate: it
   * is set aside, loudly, and tried again under the next schema. So is a role's allowance on objects; the gate's own types never are.
   */
  const setAside = async (batch: readonly Pending[], to: Sequence): Promise<void> => {
    const [objects, others] = parted(batch.flatMap(({ updates }) => updates));
    const known: RelationshipUpdate[] = [];
    for (const update of [...new Map(objects.map((each) => [relationshipKey(each.relationship), each])).values()])
      if (await takes(update)) known.push(update);
    await project(batch, to, [...others, ...known]);
  };

  /** Tells by writing it where the engine stands: that is idempotent, and the batch writes it once more. */
  const takes = async (update: RelationshipUpdate): Promise<boolean> => {
    const key = relationshipKey(update.relationship);
    const at = checkpoint.sequence;
    try {
      const tried = await engine.project({ from: at, to: at, updates: [update], facts: [], actor: author });
      if (tried.outcome === 'lost') return true;
      checkpoint = tried.reached;
      aside.delete(key);
      return true;
    } catch (error) {
      if (!isProblem(error, 'authorizer/relationship-refused')) throw error;
      if (update.operation === 'delete') aside.delete(key);
      else if (!aside.has(key)) {
        aside.set(key, update);
        onAside(update, error.message);
      }
      return false;
    }
  };

  const tryAgain = async (): Promise<void> => {
    for (const update of [...aside.values()]) await takes(update);
  };

  const mend = async (updates: readonly RelationshipUpdate[]): Promise<'written' | 'lost'> => {
    const at = checkpoint.sequence;
    const write = async (chosen: readonly RelationshipUpdate[]) => {
      const written = await engine.project({ from: at, to: at, updates: chosen, facts: [], actor: author });
      if (written.outcome === 'written') checkpoint = written.reached;
      return written.outcome;
    };
    try {
      return await write(updates);
    } catch (error) {
      if (!isProblem(error, 'authorizer/relationship-refused')) throw error;
      const [objects, others] = parted(updates);
      for (const update of objects) await takes(update);
      return await write(others);
    }
  };

  return {
    mend,
    aside: () => [...aside.keys()],
    checkpoint: () => checkpoint,
    compare: catchUp,
    write: async (facts) => {
      backlog.push(...facts.filter(({ sequence }) => sequence > checkpoint.sequence));
      while (backlog.length > 0) {
        if (backlog[0]?.schema !== undefined) {
          // Another projector may have passed this schema already, and put a newer one in force.
          await catchUp();
          if (backlog[0]?.schema === undefined) continue;
          const held = await advanceSchema(0);
          if (held !== undefined) return rest(held);
          await tryAgain();
          continue;
        }
        const schemaAt = backlog.findIndex(({ schema }) => schema !== undefined);
        const batch = schemaAt < 0 ? backlog : backlog.slice(0, schemaAt);
        const last = batch.at(-1);
        if (last === undefined) return undefined;
        try {
          await project(batch, last.sequence);
        } catch (error) {
          if (!isProblem(error, 'authorizer/relationship-refused')) throw error;
          const held = await advanceSchema(0);
          if (held === undefined) await tryAgain();
          else
            try {
              await setAside(batch, last.sequence);
            } catch (still) {
              if (!isProblem(still, 'authorizer/relationship-refused')) throw still;
              return rest(`${still.message}; ${held}`);
            }
        }
      }
      return undefined;
    },
  };
};

const withoutSchema = ({ schema: _, ...pending }: Pending): Pending => pending;
