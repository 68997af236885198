/** Writes updates and moves the checkpoint with them, under a precondition: exactly once, and two projectors cannot interleave. */
import { randomUUID } from 'node:crypto';
import { v1 } from '@authzed/authzed-node';
import { beginning, Problem, type RelationshipUpdate, relationshipKey } from '@postern/schemas';
import {
  checkpoint,
  checkpointFilter,
  isOnTheWay,
  reachedAt,
  sequenceAt,
  toStruct,
  toUpdate,
  toZookie,
} from '../mapping.ts';
import type { Projection, Relationships } from '../port.ts';
import { type EngineCalls, engineFailure, isLostPrecondition, unreachable } from './calls.ts';
import { readCheckpoint } from './checkpoint.ts';

/** The engine takes 1,000 updates a call; the last part also carries the checkpoint's two. */
const updatesPerCall = 998;
/** The engine takes 65,000 bytes of metadata; a fact's id has 36. */
const factsNamedMax = 1_000;

export type Projector = {
  readonly project: Relationships['project'];
  /** One writer at a time: overlapping writes hid a committed one at its own revision in the memory engine before 1.57. */
  readonly exclusively: <Result>(work: () => Promise<Result>) => Promise<Result>;
};

export const projector = (calls: EngineCalls): Projector => {
  let turn: Promise<unknown> = Promise.resolve();
  const exclusively = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const write = async (projection: Projection, from: string) => {
    const updates = lastOfEach(projection.updates);
    const parts = Math.max(1, Math.ceil(updates.length / updatesPerCall));
    const to = placeBehind(from, projection);
    for (let part = 1; ; part++) {
      const request = v1.WriteRelationshipsRequest.create({
        updates: updates.slice((part - 1) * updatesPerCall, part * updatesPerCall).map(toUpdate),
        optionalPreconditions: [standsAt(from)],
        optionalTransactionMetadata: toStruct(metadata(projection, part, parts)),
      });
      if (part === parts) request.updates.push(...moved(from, to).map(toUpdate));
      try {
        const { writtenAt } = await calls.writeRelationships(request);
        if (part === parts) return { outcome: 'written', reached: reachedAt(to, toZookie(writtenAt)) } as const;
      } catch (error) {
        const failure = engineFailure(error);
        if (isLostPrecondition(failure)) return { outcome: 'lost' } as const;
        if (failure.kind === 'unreachable') throw unreachable(error);
        throw new Problem('authorizer/relationship-refused', { detail: failure.why, cause: error });
      }
    }
  };
  const project = async (projection: Projection) => {
    const from = String(projection.from);
    const written = await write(projection, from);
    if (written.outcome === 'written') return written;
    const stands = await readCheckpoint(calls);
    const marked = stands !== undefined && stands.place !== from && sequenceAt(stands.place) === projection.from;
    return marked ? write(projection, stands.place) : written;
  };
  return { exclusively, project: (projection) => exclusively(() => project(projection)) };
};

/** The engine refuses two updates of one relationship in a call; in the order of facts the later one is the outcome. */
const lastOfEach = (updates: readonly RelationshipUpdate[]): RelationshipUpdate[] => [
  ...new Map(updates.map((update) => [relationshipKey(update.relationship), update])).values(),
];

const nowhere = String(beginning);

const standsAt = (place: string): v1.Precondition =>
  place === nowhere
    ? v1.Precondition.create({
        operation: v1.Precondition_Operation.MUST_NOT_MATCH,
        filter: checkpointFilter(),
      })
    : v1.Precondition.create({
        operation: v1.Precondition_Operation.MUST_MATCH,
        filter: checkpointFilter(place),
      });

const placeBehind = (place: string, { from, to, onTheWay = from === to && isOnTheWay(place) }: Projection): string => {
  if (onTheWay) return `${to}/way-${randomUUID()}`;
  return from === to && to !== beginning ? `${to}/${randomUUID()}` : String(to);
};

const moved = (from: string, to: string): RelationshipUpdate[] => [
  ...(from === nowhere ? [] : [{ operation: 'delete', relationship: checkpoint(from) } as const]),
  ...(to === nowhere ? [] : [{ operation: 'touch', relationship: checkpoint(to) } as const]),
];

const metadata = ({ facts, actor, from, to }: Projection, part: number, parts: number) => ({
  actor,
  facts: facts.slice(0, factsNamedMax),
  from,
  to,
  ...(parts > 1 && { part, parts }),
});
