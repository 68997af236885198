/**
 * Brings folded facts into the engine, in order, each once. The checkpoint decides what was written: after a lost race, a crash or
 * an answer that never came, it is read again and the rest goes on from there.
 */
import type { Reached, Relationships } from '@postern/relationships';
import { isProblem, type Sequence } from '@postern/schemas';
import { actorOf, type Pending } from './backlog.ts';

export type Writer = {
  /** Where the engine stands, as far as this writer knows. */
  readonly checkpoint: () => Reached;
  /**
   * Writes what it can of the pending facts and keeps the rest. Answers with what holds it up, if anything does: then it goes on
   * behind the next schema that the engine takes. Rejects with {@link Rewound}, or with the engine's `authorizer/engine-unreachable`.
   */
  readonly write: (facts: readonly Pending[]) => Promise<string | undefined>;
  /** Compares with the engine's own checkpoint: somebody else may have moved it on; rejects with {@link Rewound}. */
  readonly compare: () => Promise<void>;
};

/** The engine stands before the place it stood at: it was emptied or replaced. */
export class Rewound extends Error {}

export const writer = (engine: Relationships, start: Reached): Writer => {
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

  /** Puts in force the first schema from `from` on that the engine takes; facts before it are then written under that one. */
  const advanceSchema = async (from: number): Promise<string | undefined> => {
    let refused: string | undefined;
    for (let at = from; at < backlog.length; at++) {
      const text = backlog[at]?.schema;
      if (text === undefined) continue;
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

  const project = async (batch: readonly Pending[], to: Sequence): Promise<void> => {
    const written = await engine.project({
      from: checkpoint.sequence,
      to,
      updates: batch.flatMap(({ updates }) => updates),
      facts: batch.map(({ id }) => id),
      actor: actorOf(batch),
    });
    if (written.outcome === 'written') {
      backlog = backlog.slice(batch.length);
      checkpoint = { sequence: to, zookie: written.zookie };
    } else {
      await catchUp();
      if (uncertainSchema && schemaInForce !== undefined) await engine.writeSchema(schemaInForce);
    }
    uncertainSchema = false;
  };

  return {
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
          if (held !== undefined) return held;
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
          if (held !== undefined) return `${error.message}; ${held}`;
        }
      }
      return undefined;
    },
  };
};

const withoutSchema = ({ schema: _, ...pending }: Pending): Pending => pending;
