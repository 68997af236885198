/** Reads the whole graph: type by type, since the embedded engine serves no export; all on the snapshot of the first page. */
import { v1 } from '@authzed/authzed-node';
import type { Relationship } from '@postern/schemas';
import { checkpointResource, consistency, exactly, fromProto, toZookie } from '../mapping.ts';
import type { Zookie } from '../port.ts';
import { type EngineCalls, engineFailure, isUnknownDefinition, unreachable } from './calls.ts';

const relationshipsPerPage = 1_000;

export async function* readAll(calls: EngineCalls): AsyncGenerator<Relationship> {
  let snapshot: Zookie | undefined;
  try {
    for (const resourceType of await definitions(calls)) {
      let cursor: v1.Cursor | undefined;
      do {
        const request = v1.ReadRelationshipsRequest.create({
          consistency: snapshot === undefined ? consistency(undefined) : exactly(snapshot),
          relationshipFilter: { resourceType },
          optionalLimit: relationshipsPerPage,
          ...(cursor && { optionalCursor: cursor }),
        });
        cursor = undefined;
        let count = 0;
        for await (const { relationship, readAt, afterResultCursor } of calls.readRelationships(request)) {
          snapshot ??= toZookie(readAt);
          if (++count === relationshipsPerPage) cursor = afterResultCursor;
          if (relationship === undefined) continue;
          const read = fromProto(relationship);
          if (read.resource !== checkpointResource) yield read;
        }
      } while (cursor);
    }
  } catch (error) {
    throw unreachable(error);
  }
}

const definitions = async (calls: EngineCalls): Promise<string[]> => {
  try {
    const { schemaText } = await calls.readSchema(v1.ReadSchemaRequest.create());
    return [...schemaText.matchAll(/^[ \t]*definition\s+([a-z][a-z0-9_/]*)\s*\{/gm)].flatMap(([, name]) => name ?? []);
  } catch (error) {
    const failure = engineFailure(error);
    if (isUnknownDefinition(failure) || /no schema/i.test(failure.why)) return [];
    throw error;
  }
};
