/**
 * The smallest roles that would have allowed what was used, proposed and then tried: they are put into the live model and every call is
 * asked again, so that what they do not open is known, and said.
 */
import type { EndpointId } from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import { asking } from '../preview/asking.ts';
import { type Gathered, type GatherOptions, gather } from '../preview/gather.ts';
import type { ReadUse } from '../preview/use.ts';
import {
  endpointNeeds,
  isKnown,
  lackingOf,
  type Needs,
  type ObjectNeed,
  objectNeeds,
  type Used,
  usedOf,
} from './needs.ts';
import { type Proposed, propose } from './proposing.ts';
import { permissionOf, type Remaining, remainingNotes } from './remaining.ts';
import { putInto, withEndpointsOpen } from './trial.ts';
import { type Unused, unusedOf } from './unused.ts';

export type Suggestion = Omit<Gathered, 'pairs'> &
  Proposed & {
    /** Calls that would still be refused with all of it in force. */
    readonly remaining: readonly Remaining[];
    /** What the routes ask for besides the endpoint, of endpoints that are proposed: `employee#view`. */
    readonly asksFor: ReadonlyMap<string, readonly string[]>;
    readonly unused: readonly Unused[];
    /** Proposals that the deciders themselves refuse. */
    readonly refusals: readonly string[];
  };
export type SuggestInput = Pick<GatherOptions, 'sinceMs' | 'limits'> & {
  /** Live, and this one's alone: the proposals are tried in it. */
  readonly live: FoldedModel;
  readonly uses: AsyncIterable<ReadUse>;
  /** Share of a group or department that must have used something before all of it is given that; 0 to 1. */
  readonly adoption?: number;
};

/** So many objects of one type and permission may stand in roles; for more, relationships are the answer. */
const objectsInRolesMax = 5;

/** Only what got through, and what observe mode let through, is proposed: a refused call shows no need. */
export const suggest = async ({ live, uses, sinceMs, limits, adoption = 0.5 }: SuggestInput): Promise<Suggestion> => {
  const { organisation } = live;
  const { pairs, ...window } = await gather(throughOnly(uses), {
    live: organisation,
    here: organisation,
    ...(sinceMs !== undefined && { sinceMs }),
    ...(limits !== undefined && { limits }),
  });
  const remaining = remainingNotes();
  for (const { live: endpoint, lacks, subjects, variants } of pairs)
    if (endpoint !== undefined && lacks.live.length > 0) {
      const what = `its token has to be delegated the scope ${lacks.live.join(' ')}; no role stands for that`;
      for (const variant of variants.values()) remaining.add({ kind: 'scope', endpoint, what }, subjects, variant);
    }

  const used = usedOf(pairs);
  const asks = asking(live);
  const before = await lackingOf(asks, used);
  const refused = new Set(before.map(({ used }) => used));
  const unused = unusedOf(
    organisation,
    used.filter((each) => !refused.has(each)),
  );
  const lacking = before.filter(({ used }) => used.subjects.every((each) => isKnown(organisation, each)));
  for (const { used } of before)
    for (const subject of used.subjects)
      if (!isKnown(organisation, subject)) {
        const what = `${subject} has not joined, or has left, so that nothing can be given`;
        remaining.add({ kind: 'stranger', endpoint: used.endpoint, what }, used.subjects, used.variant);
      }

  const open = lacking.flatMap(({ used, reason }) => (reason === 'no-grant' ? [used] : []));
  const endpoints = await endpointNeeds(asks, open);
  // Of a model that has changed everything is asked anew.
  const wanted = await withEndpointsOpen(live, endpoints, () => objectNeeds(asking(live), open));
  const proposed = propose(organisation, endpoints, fewEach(wanted), adoption);
  const refusals = putInto(live, proposed);
  await stillRefused(
    live,
    lacking.map(({ used }) => used),
    remaining,
  );
  return {
    ...window,
    ...proposed,
    refusals,
    remaining: remaining.all(),
    asksFor: asksFor(used, proposed),
    unused,
  };
};

async function* throughOnly(uses: AsyncIterable<ReadUse>): AsyncGenerator<ReadUse> {
  for await (const each of uses)
    yield each.outcome === 'use' && !each.use.allowed ? { outcome: 'left-out', why: 'refused when it was made' } : each;
}

/** A role may name a handful of objects; one that names hundreds is a list that somebody keeps by hand. */
const fewEach = (needs: Needs<ObjectNeed>): Needs<ObjectNeed> => {
  const objects = Map.groupBy(needs.values(), ({ thing }) => permissionOf(thing));
  return new Map(
    [...needs].filter(([, { thing }]) => (objects.get(permissionOf(thing))?.length ?? 0) <= objectsInRolesMax),
  );
};

const stillRefused = async (
  live: FoldedModel,
  used: readonly Used[],
  remaining: ReturnType<typeof remainingNotes>,
): Promise<void> => {
  const asks = asking(live);
  const still = await lackingOf(asks, used);
  const objects = await objectNeeds(
    asks,
    still.map(({ used }) => used),
  );
  for (const { used, reason } of still) {
    const { endpoint, subjects, variant } = used;
    const missing = used.objects.filter(({ resource, permission }) => objects.has(`${resource}#${permission}`));
    if (reason === 'condition')
      remaining.add(
        { kind: 'condition', endpoint, what: 'a role is held under a condition that was not met' },
        subjects,
        variant,
      );
    else if (missing.length > 0)
      for (const object of missing) {
        const what = `asks for ${permissionOf(object)}: relate the objects to their people (postern.object.related.v1), or name them in a role`;
        remaining.add({ kind: 'object', endpoint, what }, subjects, variant);
      }
    else
      remaining.add({ kind: 'refused', endpoint, what: 'is refused with all proposals in force' }, subjects, variant);
  }
};

const asksFor = (used: readonly Used[], { proposals }: Proposed): ReadonlyMap<string, readonly string[]> => {
  const proposed = new Set<EndpointId>(
    proposals.flatMap(({ rules }) => rules.allows.flatMap((each) => ('endpoint' in each ? [each.endpoint] : []))),
  );
  const found = new Map<string, string[]>();
  for (const { endpoint, objects } of used)
    if (objects.length > 0 && proposed.has(endpoint) && !found.has(endpoint))
      found.set(endpoint, [...new Set(objects.map(permissionOf))]);
  return found;
};
