/**
 * Many calls become few questions: each pair of caller and endpoint once, with the objects it touched and the circumstances in which
 * it was used. What is kept is bounded at each of these, and whatever is not kept is counted.
 */
import type { Context, EndpointId, ObjectQuestion, Organisation } from '@postern/schemas';
import { objectText, readTarget } from '@postern/schemas';
import { type LeftOut, leftOut, type ReadUse, type Subject, type Use } from './use.ts';
import { operationsOf, type Place, type Where, whereOver } from './where.ts';

export type Circumstance = { readonly key: string; readonly context: Context; uses: number };
/** Calls of a pair that touch the same objects. */
export type Variant = {
  readonly pair: Pair;
  readonly objects: { readonly live: readonly ObjectQuestion[]; readonly here: readonly ObjectQuestion[] };
  /** One of the calls. */
  readonly example: string;
  uses: number;
  last: string;
  readonly circumstances: Circumstance[];
  /** Uses in circumstances beyond those that are kept. */
  notAsked: number;
};
export type Pair = {
  readonly subjects: readonly Subject[];
  /** Where the call goes under the live routes, and under those of the files here; undefined: nowhere. */
  readonly live: EndpointId | undefined;
  readonly here: EndpointId | undefined;
  /** Scopes that either asks for and the token was not delegated. */
  readonly lacks: { readonly live: readonly string[]; readonly here: readonly string[] };
  readonly variants: Map<string, Variant>;
};
export type WithoutUse = { readonly why: string; readonly uses: number; readonly example?: string };
export type Gathered = {
  readonly pairs: readonly Pair[];
  /** Calls in the window that could be read. */
  readonly read: number;
  /** What was not asked about, and why. */
  readonly leftOut: readonly WithoutUse[];
  readonly from: string | undefined;
  readonly until: string | undefined;
};

export type Limits = {
  /** Circumstances kept of one variant: a condition is judged on these. */
  readonly circumstancesMax: number;
  /** Objects kept of one pair. */
  readonly objectsMax: number;
  /** Variants kept in all: what the memory of a run, and its questions, grow with. */
  readonly variantsMax: number;
};
export const defaultLimits: Limits = { circumstancesMax: 24, objectsMax: 100, variantsMax: 200_000 };

export type GatherOptions = {
  /** Epoch ms: earlier calls are not looked at. */
  readonly sinceMs?: number;
  readonly live: Pick<Organisation, 'services'>;
  readonly here: Pick<Organisation, 'services'>;
  readonly limits?: Partial<Limits>;
};

export const gather = async (
  uses: AsyncIterable<ReadUse>,
  { sinceMs = 0, live, here, limits = {} }: GatherOptions,
): Promise<Gathered> => {
  const { circumstancesMax, objectsMax, variantsMax } = { ...defaultLimits, ...limits };
  const operations = [operationsOf(live), operationsOf(here)] as const;
  const isOperation = (id: string): boolean => operations.some((each) => each.has(id));
  const whereLive = whereOver(live, operations[0], isOperation);
  const whereHere = here === live ? whereLive : whereOver(here, operations[1], isOperation, operations[0]);
  const pairs = new Map<string, Pair>();
  const without = leavingOut();
  let variants = 0;
  let read = 0;
  let from: string | undefined;
  let until: string | undefined;

  /** One operation of a call. */
  const take = (use: Use, [a, b]: readonly [Where, Where]): undefined => {
    if (a.at === 'unknown') return without.add(leftOut(a.why));
    if (b.at === 'unknown') return without.add(leftOut(b.why));
    const key = `${placeText(a.at)} ${placeText(b.at)} ${use.subjects.join(' ')}`;
    let pair = pairs.get(key);
    if (pair === undefined) {
      if (variants >= variantsMax) return without.add(tooMany);
      const lacks = { live: a.at?.lacks ?? [], here: b.at?.lacks ?? [] };
      pair = { subjects: use.subjects, live: a.at?.endpoint, here: b.at?.endpoint, lacks, variants: new Map() };
      pairs.set(key, pair);
    }
    const objects = { live: a.at?.objects ?? [], here: b.at?.objects ?? [] };
    const touched = [...objects.live.map(objectText), '', ...objects.here.map(objectText)].join(' ');
    let variant = pair.variants.get(touched);
    if (variant === undefined) {
      if (pair.variants.size >= objectsMax) return without.add(moreObjects);
      if (variants >= variantsMax) return without.add(tooMany);
      variants++;
      const example = `${use.method} ${use.path}`;
      variant = { pair, objects, example, uses: 0, last: use.at, circumstances: [], notAsked: 0 };
      pair.variants.set(touched, variant);
    }
    variant.uses++;
    if (use.at > variant.last) variant.last = use.at;
    remember(variant, use, circumstancesMax);
  };

  for await (const each of uses) {
    if (each.outcome === 'left-out') {
      without.add(each);
      continue;
    }
    const { use } = each;
    if (sinceMs > 0 && Date.parse(use.at) < sinceMs) continue;
    read++;
    if (from === undefined || use.at < from) from = use.at;
    if (until === undefined || use.at > until) until = use.at;
    const target = readTarget(use.path);
    const also = use.also ?? [];
    const called = also.length === 0 ? [use.endpoint] : [use.endpoint, ...also];
    for (const recorded of called) take(use, [whereLive(use, target, recorded), whereHere(use, target, recorded)]);
  }
  return { pairs: [...pairs.values()], read, leftOut: without.all(), from, until };
};

const tooMany = leftOut('more pairs of caller, endpoint and object than one run keeps');
const moreObjects = leftOut('further objects of a caller and endpoint, beyond those that are kept of one pair');

const placeText = (place: Place | undefined): string =>
  place === undefined ? '-' : place.lacks.length === 0 ? place.endpoint : `${place.endpoint}!${place.lacks.join('!')}`;

/** Counts by reason, with the first example of each. */
const leavingOut = () => {
  const counts = new Map<string, { uses: number; readonly example?: string }>();
  return {
    add: ({ why, example }: LeftOut): undefined => {
      const known = counts.get(why);
      if (known === undefined) counts.set(why, { uses: 1, ...(example !== undefined && { example }) });
      else known.uses++;
    },
    all: (): WithoutUse[] => [...counts].map(([why, rest]) => ({ why, ...rest })),
  };
};

/** By the hour: weekly hours turn at minutes, but a pair that is used all day is better known by its day than by one minute of it. */
const remember = (variant: Variant, { at, ip, country, acr, amr }: Use, max: number): void => {
  const key = `${at.slice(0, 13)} ${ip ?? ''} ${country ?? ''} ${acr ?? ''} ${amr?.join(' ') ?? ''}`;
  const known = variant.circumstances.find((each) => each.key === key);
  if (known !== undefined) known.uses++;
  else if (variant.circumstances.length >= max) variant.notAsked++;
  else {
    const now = `${new Date(at).toISOString().slice(0, 19)}Z`;
    const context: Context = {
      now,
      ...(ip !== undefined && { ip }),
      ...(country !== undefined && { country }),
      ...(acr !== undefined && { acr }),
      ...(amr !== undefined && { amr }),
    };
    variant.circumstances.push({ key, context, uses: 1 });
  }
};
