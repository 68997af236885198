/** The port over SpiceDB's calls: checkpoint, parts, snapshots. Both backends are this with another carrier. */
import { v1 } from '@authzed/authzed-node';
import { beginning, Problem } from '@postern/schemas';
import {
  consistency,
  exactly,
  noZookie,
  reachedAt,
  standsThere,
  toCheckItem,
  toObject,
  toSubject,
  toVerdict,
  toZookie,
} from '../mapping.ts';
import type { CheckItem, Found, Reached, Relationships, Verdict, Zookie } from '../port.ts';
import { type EngineCalls, engineFailure, unreachable } from './calls.ts';
import { readCheckpoint } from './checkpoint.ts';
import { projector } from './projector.ts';
import { readAll } from './read.ts';

/** The engine takes 10,000; smaller parts let other calls in between, as one part blocks the embedded engine's worker. */
const checksPerCall = 1_000;

export const relationshipsOver = (calls: EngineCalls): Relationships => {
  const project = projector(calls);
  const judge = async (items: readonly CheckItem[], on: v1.Consistency): Promise<v1.CheckBulkPermissionsResponse> => {
    try {
      return await calls.checkBulkPermissions(
        v1.CheckBulkPermissionsRequest.create({ consistency: on, items: items.map(toCheckItem) }),
      );
    } catch (error) {
      throw unreachable(error);
    }
  };
  const check = async (items: readonly CheckItem[], zookie?: Zookie): Promise<readonly Verdict[]> => {
    const verdicts: Verdict[] = [];
    let snapshot: Zookie | undefined;
    for (let at = 0; at < items.length; at += checksPerCall) {
      const part = items.slice(at, at + checksPerCall);
      const answer = await judge(part, snapshot === undefined ? consistency(zookie) : exactly(snapshot));
      snapshot ??= toZookie(answer.checkedAt);
      if (answer.pairs.length !== part.length)
        throw new Problem('authorizer/engine-unreachable', { detail: 'the engine answered another number of items' });
      verdicts.push(...answer.pairs.map(toVerdict));
    }
    return verdicts;
  };

  return {
    writeSchema: (schema) =>
      project.exclusively(async () => {
        try {
          return toZookie((await calls.writeSchema(v1.WriteSchemaRequest.create({ schema }))).writtenAt);
        } catch (error) {
          const failure = engineFailure(error);
          if (failure.kind === 'unreachable') throw unreachable(error);
          throw new Problem('authorizer/schema-refused', { detail: failure.why, cause: error });
        }
      }),

    reached: async (): Promise<Reached> => {
      const found = await readCheckpoint(calls);
      return found === undefined
        ? { sequence: beginning, zookie: noZookie, place: undefined }
        : reachedAt(found.place, found.zookie);
    },

    project: project.project,

    check,

    checkAt: async (items, { place, zookie }) => {
      if (place === undefined) return 'moved';
      const [there, ...verdicts] = await check([standsThere(place), ...items], zookie);
      return there?.verdict === 'has' ? verdicts : 'moved';
    },

    read: () => readAll(calls),

    subjects: ({ resource, permission, subjectType }, zookie) =>
      found(
        () =>
          calls.lookupSubjects(
            v1.LookupSubjectsRequest.create({
              consistency: consistency(zookie),
              resource: toObject(resource),
              permission,
              subjectObjectType: subjectType,
              wildcardOption: v1.LookupSubjectsRequest_WildcardOption.EXCLUDE_WILDCARDS,
            }),
          ),
        ({ subject }) => ({ id: subject?.subjectObjectId ?? '', conditional: subject?.permissionship === conditional }),
      ),

    resources: ({ subject, permission, resourceType }, zookie) =>
      found(
        () =>
          calls.lookupResources(
            v1.LookupResourcesRequest.create({
              consistency: consistency(zookie),
              subject: toSubject(subject),
              permission,
              resourceObjectType: resourceType,
            }),
          ),
        ({ resourceObjectId, permissionship }) => ({
          id: resourceObjectId,
          conditional: permissionship === conditional,
        }),
      ),

    ping: async () => {
      try {
        await calls.readSchema(v1.ReadSchemaRequest.create());
      } catch (error) {
        // "No schema" is an answer.
        if (!/No schema has been defined|NotFound/i.test(`${error}`)) throw unreachable(error);
      }
    },

    [Symbol.asyncDispose]: async () => calls.close(),
  };
};

const conditional = v1.LookupPermissionship.CONDITIONAL_PERMISSION;

/** A resource may be reached on several paths and come more than once: it is told once, unconditional where one path is. */
async function* found<Each>(ask: () => AsyncIterable<Each>, toFound: (each: Each) => Found): AsyncGenerator<Found> {
  const seen = new Map<string, boolean>();
  try {
    for await (const answer of ask()) {
      const { id, conditional } = toFound(answer);
      seen.set(id, (seen.get(id) ?? true) && conditional);
    }
  } catch (error) {
    const failure = engineFailure(error);
    if (failure.kind === 'refused') throw new Problem('authorizer/bad-question', { detail: failure.why, cause: error });
    throw unreachable(error);
  }
  for (const [id, conditional] of seen) yield { id, conditional };
}
