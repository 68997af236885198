/** What the conformance tests share: an emptied engine under the gate's schema, and short words for its graph. */
import { beginning, type Conditions, gateSchema, type Relationship, type Sequence } from '@postern/schemas';
import type { CheckContext, Projection, Relationships, Zookie } from '../port.ts';

export type Open = () => Promise<Relationships>;

/** The port's promise that a backend does not keep, and why. */
export type Exception = { readonly test: string; readonly because: string };

export const edge = (resource: string, relation: string, subject: string, anyOf?: readonly Conditions[]) =>
  ({ resource, relation, subject, ...(anyOf && { anyOf }) }) satisfies Relationship;
export const holds = (subject: string, anyOf?: readonly Conditions[]) => edge('role:reader', 'holder', subject, anyOf);
export const ask = (subject: string, context?: CheckContext) => ({
  resource: 'endpoint:payroll/getEmployee',
  permission: 'call',
  subject,
  ...(context && { context }),
});

export type Stage = {
  readonly engine: Relationships;
  /** Writes at the checkpoint and moves it on; fails where that is lost. */
  readonly write: (touch: readonly Relationship[], remove?: readonly Relationship[]) => Promise<Zookie>;
  readonly projection: (from: number, to: number, touch?: readonly Relationship[]) => Projection;
  readonly all: () => Promise<Relationship[]>;
};

/** Empties the engine, publishes the gate's schema, and lets the role `reader` call the endpoint payroll/getEmployee. */
export const stage = async (engine: Relationships): Promise<Stage> => {
  const projection = (from: number, to: number, touch: readonly Relationship[] = []): Projection => ({
    from: from as Sequence,
    to: to as Sequence,
    updates: touch.map((relationship) => ({ operation: 'touch', relationship })),
    facts: ['01890000-0000-7000-8000-000000000000'],
    actor: 'postern/conformance',
  });
  const all = () => Array.fromAsync(engine.read());
  const remains = await all();
  const { sequence } = await engine.reached();
  if (sequence !== beginning || remains.length > 0) {
    const updates = remains.map((relationship) => ({ operation: 'delete', relationship }) as const);
    const { outcome } = await engine.project({ ...projection(sequence, beginning), updates });
    if (outcome === 'lost') throw new Error('the engine could not be emptied');
  }
  await engine.writeSchema(gateSchema);
  let at = 0;
  const write = async (touch: readonly Relationship[], remove: readonly Relationship[] = []): Promise<Zookie> => {
    const written = await engine.project({
      ...projection(at, at + 1),
      updates: [
        ...touch.map((relationship) => ({ operation: 'touch', relationship }) as const),
        ...remove.map((relationship) => ({ operation: 'delete', relationship }) as const),
      ],
    });
    if (written.outcome === 'lost') throw new Error('somebody else writes to this engine');
    at++;
    return written.reached.zookie;
  };
  await write([edge('endpoint:payroll/getEmployee', 'caller', 'role:reader#holder')]);
  return { engine, write, projection, all };
};
