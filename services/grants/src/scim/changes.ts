/**
 * Changes of resources. Two things are written: the profile, and the facts. The order makes every interruption harmless: a profile
 * is written before its facts, so that what is half done shows what the facts say and the client's next attempt finishes it; and
 * a deletion ends access before it erases the profile. Each write moves the profile's version on, so of two writers one is told.
 */
import type { Profile, ProfileChange } from '@postern/profiles';
import { type Actor, isProblem, Problem, type Sequence } from '@postern/schemas';
import { changedSince } from './failures.ts';
import type { ScimConfig } from './people.ts';
import { type Change, type ChangesDeps, lookUp, nameTaken, type Plan, plan, readChange } from './planning.ts';

export type { Change, ChangesDeps } from './planning.ts';

export type Outcome =
  | {
      readonly status: 200 | 201 | 204;
      readonly profile: Profile;
      readonly sequence: Sequence;
      readonly changed: boolean;
    }
  | { readonly problem: Problem };

/** Changes that touch different resources; each stands or falls alone. Rejects only where nothing can be said of any of them. */
export type CarryOut = (changes: readonly Change[], actor: Actor) => Promise<readonly Outcome[]>;

/** Other instances may write the same profile; whoever loses reads it again. */
const attemptsMax = 10;

export const carryingOut = (deps: ChangesDeps, config: ScimConfig): CarryOut => {
  // One wave at a time in this process: two of our own would only make each other read again.
  let last: Promise<unknown> = Promise.resolve();
  return (changes, actor) => {
    const result = last.then(() => repeatedly(changes, actor, deps, config));
    last = result.catch(() => {});
    return result;
  };
};

const repeatedly = async (
  changes: readonly Change[],
  actor: Actor,
  deps: ChangesDeps,
  config: ScimConfig,
): Promise<readonly Outcome[]> => {
  const outcomes = new Map<Change, Outcome>();
  let left = changes;
  for (let attempt = 0; left.length > 0; attempt++) {
    if (attempt === attemptsMax) throw new Problem('grants/contended', { fix: 'Send it again.' });
    for (const [change, outcome] of await wave(left, actor, deps, config)) outcomes.set(change, outcome);
    left = changes.filter((change) => !outcomes.has(change));
  }
  return changes.flatMap((change) => outcomes.get(change) ?? []);
};

/** What is not in the answer has been overtaken by another writer and has to be looked at again. */
const wave = async (
  changes: readonly Change[],
  actor: Actor,
  deps: ChangesDeps,
  config: ScimConfig,
): Promise<Map<Change, Outcome>> => {
  const { profiles, together, state } = deps;
  const outcomes = new Map<Change, Outcome>();
  const each = <Item extends { change: Change }, Result>(
    items: readonly Item[],
    work: (item: Item) => Result,
  ): Result[] =>
    items.flatMap((item) => {
      try {
        return [work(item)];
      } catch (error) {
        if (!isProblem(error)) throw error;
        outcomes.set(item.change, { problem: error });
        return [];
      }
    });

  const read = each(
    changes.map((change) => ({ change })),
    ({ change }) => readChange(change, config, deps.clock.now()),
  );
  const known = await lookUp(read, deps);
  const plans = each(read, (item) => plan(item, known, deps));

  const writing = plans.filter(({ change, before, after }) => change.method !== 'DELETE' && before !== after);
  const written = await profiles.write(writing.map(toWrite));
  const overtaken = new Set<Plan>();
  for (const [at, item] of writing.entries()) {
    if (written[at] === 'written') continue;
    overtaken.add(item);
    if (written[at] === 'taken') outcomes.set(item.change, { problem: nameTaken(item.after) });
    else if (item.change.ifMatch !== undefined)
      outcomes.set(item.change, { problem: changedSince('another client has written it meanwhile') });
  }

  const standing = plans.filter((item) => !overtaken.has(item));
  const commanding = standing.filter(({ command }) => command !== undefined);
  const done = await together(commanding.flatMap(({ command }) => (command === undefined ? [] : [{ command, actor }])));
  const results = new Map(commanding.map((item, at) => [item, done[at]]));
  const undo: ProfileChange[] = [];
  const erase: Plan[] = [];
  for (const item of standing) {
    const result = results.get(item);
    if (isProblem(result)) {
      outcomes.set(item.change, { problem: result });
      if (item.change.method !== 'DELETE' && item.before !== item.after) undo.push(...toUndo(item));
      continue;
    }
    if (item.change.method === 'DELETE') erase.push(item);
    outcomes.set(item.change, {
      status: item.status,
      profile: item.after,
      sequence: result?.sequence ?? state.organisation.sequence,
      changed: (result?.facts.length ?? 0) > 0 || item.before !== item.after,
    });
  }
  const erased = await profiles.write([
    ...erase.map(
      ({ after: { kind, id, version } }): ProfileChange => ({ change: 'delete', kind, id, expected: version }),
    ),
    ...undo,
  ]);
  for (const [at, item] of erase.entries()) if (erased[at] !== 'written') outcomes.delete(item.change);
  return outcomes;
};

const toWrite = ({ before, after }: Plan): ProfileChange =>
  before === undefined
    ? { change: 'insert', profile: after }
    : { change: 'update', profile: after, expected: before.version };

const toUndo = ({ before, after }: Plan): ProfileChange[] =>
  before === undefined
    ? [{ change: 'delete', kind: after.kind, id: after.id, expected: after.version }]
    : [{ change: 'update', profile: { ...before, version: after.version + 1 }, expected: after.version }];
