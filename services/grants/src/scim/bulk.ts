/**
 * Bulk (RFC 7644 §3.7). Operations are carried out in waves: as many at once as do not touch each other, so that a thousand new
 * people are one append and one wait for the disk. A bulkId is known as soon as its operation has been read, because ids are
 * given by this side; so a manager may come after whom they manage, and only members have to be there before their group.
 */
import type { ProfileKind } from '@postern/profiles';
import { type Actor, isProblem, Problem } from '@postern/schemas';
import type { CarryOut, Change, Outcome } from './changes.ts';
import { errorBody, refuse } from './failures.ts';
import { asObject } from './paths.ts';
import { newId, type ScimConfig } from './people.ts';
import { folded } from './planning.ts';
import { readResource } from './read.ts';
import { locationOf } from './show.ts';

export const bulkUrns = {
  request: 'urn:ietf:params:scim:api:messages:2.0:BulkRequest',
  response: 'urn:ietf:params:scim:api:messages:2.0:BulkResponse',
};
export const operationsMax = 5_000;
/** The gate takes no larger bodies for Postern's own API. */
export const payloadBytesMax = 4_194_304;

type Operation = {
  readonly at: number;
  readonly method: Change['method'];
  readonly bulkId: string | undefined;
  readonly kind: ProfileKind;
  /** Undefined of POST, and where it is a bulkId that means nothing. */
  readonly id: string | undefined;
  readonly data: unknown;
  /** Something in it is a bulkId. */
  readonly refers: boolean;
  readonly version: string | undefined;
  /** Other operations whose resources this one needs to be there. */
  readonly needs: readonly string[];
};

export type BulkDeps = {
  readonly carryOut: CarryOut;
  readonly config: ScimConfig;
  readonly nowMs: () => number;
  readonly base: string;
};

/** Throws `grants/scim-invalid` and `grants/scim-too-large` for what no operation of it can be carried out of. */
export const bulk = async (
  body: unknown,
  actor: Actor,
  deps: BulkDeps,
): Promise<{ readonly answer: object; readonly outcomes: readonly Outcome[] }> => {
  const { schemas, Operations: written, failOnErrors } = asObject(body) ?? {};
  if (!Array.isArray(schemas) || !schemas.includes(bulkUrns.request))
    throw refuse('invalidSyntax', `schemas does not name ${bulkUrns.request}`);
  if (!Array.isArray(written) || written.length === 0) throw refuse('invalidSyntax', 'Operations is a list');
  if (written.length > operationsMax)
    throw new Problem('grants/scim-too-large', { detail: `at most ${operationsMax} operations are taken at once` });
  const errorsMax = typeof failOnErrors === 'number' && failOnErrors > 0 ? failOnErrors : Number.POSITIVE_INFINITY;

  const ids = new Map<string, string>();
  const outcomes = new Map<number, Outcome>();
  const operations: Operation[] = [];
  for (const [at, each] of written.entries())
    try {
      operations.push(readOperation(each, at, ids, deps));
    } catch (error) {
      if (!isProblem(error)) throw error;
      outcomes.set(at, { problem: error });
    }

  let errors = outcomes.size;
  let left = operations;
  const done = new Set<string>();
  const failed = new Set<string>();
  while (left.length > 0 && errors < errorsMax) {
    // Where failures are counted, nothing may run ahead of the one that ends it.
    const wave = nextWave(
      left,
      operations,
      done,
      failed,
      errorsMax === Number.POSITIVE_INFINITY ? operationsMax : errorsMax - errors,
    );
    if (wave.length === 0) {
      for (const { at, needs } of left)
        outcomes.set(at, {
          problem: refuse(
            'invalidValue',
            `it needs ${needs.join(', ')}, and what these need needs it: groups cannot contain each other`,
          ),
        });
      break;
    }
    left = left.filter((each) => !wave.includes(each));
    const ready: { operation: Operation; change: Change }[] = [];
    for (const operation of wave) {
      const lacking = operation.needs.filter((bulkId) => failed.has(bulkId) || !ids.has(bulkId));
      if (lacking.length > 0)
        outcomes.set(operation.at, { problem: refuse('invalidValue', `${lacking.join(', ')} was not created`) });
      else
        try {
          ready.push({ operation, change: toChange(operation, ids, deps.base) });
        } catch (error) {
          if (!isProblem(error)) throw error;
          outcomes.set(operation.at, { problem: error });
        }
    }
    const results = await deps.carryOut(
      ready.map(({ change }) => change),
      actor,
    );
    for (const [index, { operation }] of ready.entries()) {
      const result = results[index];
      if (result === undefined) continue;
      outcomes.set(operation.at, result);
      if ('profile' in result && operation.bulkId !== undefined) ids.set(operation.bulkId, result.profile.id);
    }
    for (const { at, bulkId } of wave) {
      const isFailed = 'problem' in (outcomes.get(at) ?? {});
      if (isFailed) errors++;
      if (bulkId !== undefined) (isFailed ? failed : done).add(bulkId);
    }
  }
  const answered = written.flatMap((each, at) => {
    const outcome = outcomes.get(at);
    return outcome === undefined ? [] : [answerOf(each, outcome, deps.base)];
  });
  return {
    answer: { schemas: [bulkUrns.response], Operations: answered },
    outcomes: [...outcomes.values()],
  };
};

const readOperation = (
  written: unknown,
  at: number,
  ids: Map<string, string>,
  { config, nowMs }: BulkDeps,
): Operation => {
  const { method: asWritten, bulkId, path, data, version } = asObject(written) ?? {};
  const method = typeof asWritten === 'string' ? asWritten.toUpperCase() : '';
  if (method !== 'POST' && method !== 'PUT' && method !== 'PATCH' && method !== 'DELETE')
    throw refuse('invalidSyntax', `a method is POST, PUT, PATCH or DELETE, not ${String(asWritten)}`);
  const [, collection, id] = /^\/(Users|Groups)(?:\/([^/]+))?$/.exec(typeof path === 'string' ? path : '') ?? [];
  if (collection === undefined || (id === undefined) !== (method === 'POST'))
    throw refuse(
      'invalidPath',
      `${method} ${String(path)}: a path is /Users or /Groups, and names one resource for all but POST`,
    );
  const kind = collection === 'Users' ? 'User' : 'Group';
  const named = typeof bulkId === 'string' && bulkId !== '' ? bulkId : undefined;
  if (method === 'POST') {
    if (named === undefined) throw refuse('invalidSyntax', 'POST has a bulkId');
    if (ids.has(named)) throw refuse('invalidSyntax', `the bulkId ${named} is there twice`);
    // What another operation says of it may come before it has been made.
    ids.set(named, newId(kind, readResource(kind, data), config, nowMs()).id);
  }
  const referred = [
    ...new Set([...JSON.stringify(data ?? null).matchAll(/"bulkId:([^"]+)"/g)].map(([, each = '']) => each)),
  ];
  return {
    at,
    method,
    bulkId: method === 'POST' ? named : undefined,
    kind,
    id: id === undefined ? undefined : decodeURIComponent(id),
    data,
    refers: referred.length > 0,
    version: typeof version === 'string' ? version : undefined,
    // A manager is a name in a fact and may come later; a member has to be there.
    needs: [...(kind === 'Group' ? referred : []), ...(id?.startsWith('bulkId:') ? [id.slice('bulkId:'.length)] : [])],
  };
};

/** The longest run of operations from the front that neither touch the same nor wait for each other; whoever waits is passed by. */
const nextWave = (
  left: readonly Operation[],
  all: readonly Operation[],
  done: ReadonlySet<string>,
  failed: ReadonlySet<string>,
  limit: number,
): readonly Operation[] => {
  const inBulk = new Set(all.flatMap(({ bulkId }) => bulkId ?? []));
  const touched = new Set<string>();
  const wave: Operation[] = [];
  const first = left.find(({ needs }) =>
    needs.every((each) => done.has(each) || failed.has(each) || !inBulk.has(each)),
  );
  for (const operation of left) {
    const waits = operation.needs.some((each) => inBulk.has(each) && !done.has(each) && !failed.has(each));
    if (waits) continue;
    // Groups look at who is there, so they are never in one wave with people.
    if (operation.kind !== first?.kind || wave.length >= limit) break;
    const keys = keysOf(operation);
    if (keys.some((key) => touched.has(key))) break;
    for (const key of keys) touched.add(key);
    wave.push(operation);
  }
  return wave;
};

/** Everything that two operations could both mean: ids and names, and of groups those that they name as members. */
const keysOf = ({ kind, id, data, method, at, bulkId }: Operation): string[] => {
  const written = asObject(data) ?? {};
  const text = (name: string): string[] => {
    const found = Object.entries(written).find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
    return typeof found === 'string' ? [folded(found)] : [];
  };
  const own = id === undefined ? [`made ${at}`, ...(bulkId === undefined ? [] : [`bulkId:${bulkId}`])] : [folded(id)];
  const names =
    kind === 'User' ? [...text('userName'), ...text('externalId')] : [...text('externalId'), ...text('displayName')];
  const members =
    kind === 'Group' && method !== 'DELETE'
      ? [...JSON.stringify(data ?? null).matchAll(/"type":"Group"|\/Groups\//g)].length > 0
        ? ['nesting']
        : []
      : [];
  return [...own, ...names, ...members];
};

const toChange = (operation: Operation, ids: ReadonlyMap<string, string>, base: string): Change => {
  const { kind, method, id, data, version, bulkId, refers } = operation;
  const resolve = (text: string): string => {
    const found = ids.get(text.slice('bulkId:'.length));
    if (found === undefined) throw refuse('invalidValue', `${text} names no operation that creates something`);
    return found;
  };
  const resolved = refers
    ? (JSON.parse(JSON.stringify(data ?? null), (_name, value: unknown) =>
        typeof value === 'string' && value.startsWith('bulkId:') ? resolve(value) : value,
      ) as unknown)
    : data;
  return {
    kind,
    method,
    base,
    ...(id !== undefined && { id: id.startsWith('bulkId:') ? resolve(id) : id }),
    ...(resolved !== undefined && { body: resolved }),
    ...(version !== undefined && { ifMatch: version }),
    ...(bulkId !== undefined && { idMade: ids.get(bulkId) }),
  };
};

const answerOf = (written: unknown, outcome: Outcome, base: string): object => {
  const { method, bulkId, path } = asObject(written) ?? {};
  const common = { method, ...(typeof bulkId === 'string' && { bulkId }) };
  if ('problem' in outcome) {
    const response = errorBody(outcome.problem);
    const location =
      typeof path === 'string' && /^\/(Users|Groups)\/[^/]+$/.test(path) ? { location: base + path } : {};
    return { ...common, ...location, status: response.status, response };
  }
  return { ...common, location: locationOf(outcome.profile, base), status: String(outcome.status) };
};
