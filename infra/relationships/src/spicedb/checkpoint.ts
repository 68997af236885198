/** Reads where the projection stands, as the engine spells it. */
import { v1 } from '@authzed/authzed-node';
import { checkpointFilter, consistency, toZookie } from '../mapping.ts';
import type { Zookie } from '../port.ts';
import { type EngineCalls, engineFailure, isUnknownDefinition, unreachable } from './calls.ts';

export type Checkpoint = { readonly place: string; readonly zookie: Zookie };

/** Undefined where nothing was ever projected. Rejects with `authorizer/engine-unreachable`. */
export const readCheckpoint = async (calls: EngineCalls): Promise<Checkpoint | undefined> => {
  const request = v1.ReadRelationshipsRequest.create({
    consistency: consistency(undefined),
    relationshipFilter: checkpointFilter(),
  });
  let found: Checkpoint | undefined;
  try {
    for await (const { relationship, readAt } of calls.readRelationships(request))
      found = { place: relationship?.subject?.object?.objectId ?? '', zookie: toZookie(readAt) };
  } catch (error) {
    // An engine without our schema has reached nothing.
    if (!isUnknownDefinition(engineFailure(error))) throw unreachable(error);
  }
  return found;
};
