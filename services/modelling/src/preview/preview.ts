/** What a change would do to the calls that were made: each distinct question once, to the model that is live and to the one here. */
import type { Answer, Relationship } from '@postern/schemas';
import { objectText } from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import { type Ask, asking } from './asking.ts';
import { causeFinder } from './causes.ts';
import type { Answered, Asks, Flip, Flipped, Places, Side } from './flip.ts';
import {
  type Circumstance,
  type Gathered,
  type GatherOptions,
  gather,
  type Variant,
  type WithoutUse,
} from './gather.ts';
import type { ReadUse } from './use.ts';

export type Preview = Omit<Gathered, 'pairs'> & {
  readonly flips: readonly Flip[];
  /** Pairs of caller and endpoint. */
  readonly distinct: number;
  /** Questions of the two models together. */
  readonly asked: number;
  /** Answers that the engine could not give: they count as refused, as at the gate. */
  readonly undecided: number;
  /** Live relationships for which the schema here has no place: published, it would be refused. */
  readonly dropped: readonly Relationship[];
  /** Live relationships that the live schema itself does not know: the gate has set them aside, and so does the preview. */
  readonly aside: readonly Relationship[];
};

export type PreviewInput = Pick<GatherOptions, 'sinceMs' | 'limits'> & {
  readonly live: FoldedModel;
  readonly here: FoldedModel;
  readonly uses: AsyncIterable<ReadUse>;
  readonly places: Places;
  readonly wanted: (flip: Omit<Flip, 'wanted'>) => boolean;
  readonly dropped?: readonly Relationship[];
  readonly aside?: readonly Relationship[];
};

const objectsNamedMax = 3;

export const preview = async (input: PreviewInput): Promise<Preview> => {
  const { live, here, uses, places, wanted, sinceMs, limits, dropped = [], aside = [] } = input;
  const gathered = await gather(uses, {
    live: live.organisation,
    here: here.organisation,
    ...(limits !== undefined && { limits }),
    ...(sinceMs !== undefined && { sinceMs }),
  });
  const { pairs, leftOut, ...window } = gathered;
  const asks = { live: asking(live), here: asking(here) };
  const variants = pairs.flatMap((pair) => [...pair.variants.values()]);
  const asked = await askBoth(asks, variants, (variant) => variant.circumstances.slice(0, 1));
  // Only where an answer depends on the circumstances is there more to ask.
  const open = new Set(variants.filter((variant) => dependsOnMore(asks, variant)));
  const rest = await askBoth(asks, [...open], (variant) => variant.circumstances.slice(1));

  const flips = new Map<string, Flipped>();
  let undecided = 0;
  for (const each of [...asked, ...rest]) {
    const { variant, at, before, after } = each;
    for (const answer of [before, after]) if (answer?.outcome === 'unavailable') undecided++;
    if (isAllow(before) === isAllow(after)) continue;
    const direction = isAllow(before) ? 'allow-to-deny' : 'deny-to-allow';
    const { pair, example } = variant;
    const key = `${direction} ${pair.live} ${pair.here} ${pair.lacks.live} ${pair.lacks.here} ${pair.subjects.join(' ')}`;
    const uses = open.has(variant) ? at.uses : variant.uses;
    const known = flips.get(key) ?? {
      direction,
      example,
      uses: 0,
      last: variant.last,
      first: each,
      variants: new Set(),
    };
    known.uses += uses;
    if (variant.last > known.last) known.last = variant.last;
    known.variants.add(variant);
    flips.set(key, known);
  }
  const causesOf = causeFinder({ live, here, places, asks });
  const found: Flip[] = [];
  for (const [flipped, causes] of await causesOf([...flips.values()])) {
    const { direction, example, uses, last, first, variants } = flipped;
    const { subjects, live, here } = first.variant.pair;
    const objects = [...variants]
      .map(({ objects }) => objects)
      .flatMap(({ here, live }) => (here.length > 0 ? here : live));
    const names = [...new Set(objects.map(objectText))];
    const flip = {
      ...{ direction, subjects, live, here, example, uses, last, causes },
      objects: names.slice(0, objectsNamedMax),
      objectCount: names.length,
    };
    found.push({ ...flip, wanted: wanted(flip) });
  }
  found.sort((a, b) => a.direction.localeCompare(b.direction) || b.uses - a.uses || a.example.localeCompare(b.example));
  const unasked = [...open].reduce((sum, { notAsked }) => sum + notAsked, 0);
  const further: WithoutUse = {
    why: 'more circumstances than are asked for one pair under a condition',
    uses: unasked,
  };
  return {
    ...window,
    flips: found,
    distinct: new Set(pairs.map(({ live, here, subjects }) => `${live} ${here} ${subjects.join(' ')}`)).size,
    asked: asks.live.asked() + asks.here.asked(),
    undecided,
    leftOut: [...leftOut, ...(unasked > 0 ? [further] : [])],
    dropped,
    aside,
  };
};

const isAllow = (answer: Answer | undefined): boolean => answer?.outcome === 'allow';
const sides = ['live', 'here'] as const;

/** What leads nowhere, and what its token was not delegated, is not asked: the gate refuses it. */
const askOf = (variant: Variant, { context }: Circumstance, side: Side): Ask | undefined => {
  const { pair, objects } = variant;
  const endpoint = pair[side];
  return endpoint === undefined || pair.lacks[side].length > 0
    ? undefined
    : { subjects: pair.subjects, endpoint, objects: objects[side], context };
};

const dependsOnMore = (asks: Asks, variant: Variant): boolean =>
  variant.circumstances.length > 1 &&
  sides.some((side) => {
    const [first] = variant.circumstances;
    const ask = first === undefined ? undefined : askOf(variant, first, side);
    return ask !== undefined && asks[side].depends(ask);
  });

/** Variants at once: what waits for its answers is bounded too. */
const chunkMax = 20_000;

const askBoth = async (
  asks: Asks,
  variants: readonly Variant[],
  circumstancesOf: (variant: Variant) => readonly Circumstance[],
): Promise<Answered[]> => {
  const answered: Answered[] = [];
  for (let from = 0; from < variants.length; from += chunkMax) {
    const open = variants
      .slice(from, from + chunkMax)
      .flatMap((variant) => circumstancesOf(variant).map((at) => ({ variant, at })));
    const answers = async (side: Side): Promise<(Answer | undefined)[]> => {
      const asked = open.map(({ variant, at }) => askOf(variant, at, side));
      const given = await asks[side].ask(asked.filter((each) => each !== undefined));
      let next = 0;
      return asked.map((each) => (each === undefined ? undefined : given[next++]));
    };
    // Each model has an engine of its own, on a thread of its own.
    const [before, after] = await Promise.all([answers('live'), answers('here')]);
    for (const [at, each] of open.entries()) answered.push({ ...each, before: before[at], after: after[at] });
  }
  return answered;
};
