/** What a change would do to the calls that were made: each distinct question once, to the model that is live and to the one here. */
import type { Answer, EndpointId, Relationship } from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import type { Explanation } from '../judgement.ts';
import { type Circumstance, type Gathered, type GatherOptions, gather, type Pair } from './gather.ts';
import type { ReadUse, Subject } from './use.ts';

export type Direction = 'allow-to-deny' | 'deny-to-allow';
export type Flip = {
  readonly direction: Direction;
  readonly subjects: readonly Subject[];
  /** Before and after; undefined: the call leads nowhere. */
  readonly live: EndpointId | undefined;
  readonly here: EndpointId | undefined;
  readonly example: string;
  readonly uses: number;
  readonly last: string;
  readonly causes: readonly Cause[];
  readonly wanted: boolean;
};
/** `role`: by whom it is (or was) allowed. `route`: the call goes elsewhere, or nowhere. */
export type Cause =
  | { readonly kind: 'role'; readonly role: string; readonly what: string; readonly place?: string }
  | { readonly kind: 'route'; readonly what: string; readonly place?: string };

export type Preview = Omit<Gathered, 'pairs' | 'leftOut'> & {
  readonly flips: readonly Flip[];
  readonly distinct: number;
  readonly asked: number;
  readonly leftOut: readonly { readonly why: string; readonly uses: number }[];
  /** Live relationships for which the schema here has no place: published, it would be refused. */
  readonly dropped: readonly Relationship[];
};

export type Places = {
  readonly role: (role: string) => string | undefined;
  readonly endpoint: (endpoint: EndpointId) => string | undefined;
};
export type PreviewInput = Pick<GatherOptions, 'sinceMs'> & {
  readonly live: FoldedModel;
  readonly here: FoldedModel;
  readonly uses: AsyncIterable<ReadUse>;
  readonly places: Places;
  readonly wanted: (flip: Omit<Flip, 'wanted'>) => boolean;
  readonly dropped?: readonly Relationship[];
};

export const preview = async ({
  live,
  here,
  uses,
  places,
  wanted,
  sinceMs,
  dropped = [],
}: PreviewInput): Promise<Preview> => {
  const gathered = await gather(uses, {
    live: live.organisation,
    here: here.organisation,
    ...(sinceMs !== undefined && { sinceMs }),
  });
  const { pairs, leftOut: without, ...window } = gathered;
  const first = pairs.map((pair): Open[] => [...pair.circumstances.values()].slice(0, 1).map((at) => ({ pair, at })));
  const asked = await askBoth(live, here, first.flat());
  // Only where an answer depends on the circumstances is there more to ask.
  const more = asked.flatMap(({ pair, before, after }): Open[] =>
    depends(before) || depends(after) ? [...pair.circumstances.values()].slice(1).map((at) => ({ pair, at })) : [],
  );
  const open = new Set(more.map(({ pair }) => pair));
  const rest = await askBoth(live, here, more);

  const flips = new Map<
    string,
    Omit<Flip, 'causes' | 'wanted'> & { uses: number; readonly at: Circumstance; readonly pair: Pair }
  >();
  for (const { pair, at, before, after } of [...asked, ...rest]) {
    if (isAllow(before) === isAllow(after)) continue;
    const direction = isAllow(before) ? 'allow-to-deny' : 'deny-to-allow';
    const key = `${direction} ${pair.live} ${pair.here} ${pair.subjects.join(' ')}`;
    const uses = open.has(pair) ? at.uses : pair.uses;
    const known = flips.get(key);
    if (known !== undefined) known.uses += uses;
    else {
      const { subjects, example, last } = pair;
      flips.set(key, { direction, subjects, live: pair.live, here: pair.here, example, uses, last, at, pair });
    }
  }
  const found = [...flips.values()].map(({ at, pair, ...flip }): Flip => {
    const caused = { ...flip, causes: causesOf(flip.direction, pair, at, { live, here, places }) };
    return { ...caused, wanted: wanted(caused) };
  });
  found.sort((a, b) => a.direction.localeCompare(b.direction) || b.uses - a.uses || a.example.localeCompare(b.example));
  const unasked = [...open].reduce((sum, { notAsked }) => sum + notAsked, 0);
  return {
    ...window,
    flips: found,
    distinct: pairs.length,
    asked: asked.length + rest.length,
    leftOut: [
      ...[...without].map(([why, uses]) => ({ why, uses })),
      ...(unasked > 0
        ? [{ why: 'more circumstances than are asked for one pair under a condition', uses: unasked }]
        : []),
    ],
    dropped,
  };
};

type Open = { readonly pair: Pair; readonly at: Circumstance };
type Both = Open & { readonly before: Answer | undefined; readonly after: Answer | undefined };

const isAllow = (answer: Answer | undefined): boolean => answer?.outcome === 'allow';
const depends = (answer: Answer | undefined): boolean =>
  answer !== undefined && answer.outcome !== 'unavailable' && answer.dependsOn.length > 0;

const askBoth = async (live: FoldedModel, here: FoldedModel, open: readonly Open[]): Promise<Both[]> => {
  const [before, after] = [await ask(live, open, 'live'), await ask(here, open, 'here')];
  return open.map((each, at) => ({ ...each, before: before[at], after: after[at] }));
};

/** What leads nowhere is not asked: the gate refuses it. */
const ask = async (
  model: FoldedModel,
  open: readonly Open[],
  side: 'live' | 'here',
): Promise<(Answer | undefined)[]> => {
  const routed = open.flatMap(({ pair, at }, index) => {
    const endpoint = pair[side];
    const objects = pair.objects[side];
    return endpoint === undefined
      ? []
      : [
          {
            index,
            question: {
              subjects: pair.subjects,
              endpoint,
              ...(objects.length > 0 && { objects }),
              context: at.context,
            },
          },
        ];
  });
  const answers: (Answer | undefined)[] = open.map(() => undefined);
  const given = await model.decide(routed.map(({ question }) => question));
  for (const [at, { index }] of routed.entries()) answers[index] = given[at];
  return answers;
};

const rolesOf = (explanation: Explanation): string[] =>
  explanation.outcome === 'allow' && 'ways' in explanation
    ? [...new Set(explanation.ways.flatMap(({ role }) => role ?? []))]
    : [];

const causesOf = (
  direction: Direction,
  pair: Pair,
  { context }: Circumstance,
  { live, here, places }: Pick<PreviewInput, 'live' | 'here' | 'places'>,
): Cause[] => {
  const { subjects } = pair;
  const causes: Cause[] = [];
  if (pair.live !== pair.here) {
    const place = pair.here === undefined ? undefined : places.endpoint(pair.here);
    const what = `the call goes to ${pair.here ?? 'no endpoint'} here, and to ${pair.live ?? 'none'} in the live routes`;
    causes.push({ kind: 'route', what, ...(place !== undefined && { place }) });
  }
  const [model, endpoint] = direction === 'allow-to-deny' ? [live, pair.live] : [here, pair.here];
  if (endpoint === undefined) return causes;
  const verb = direction === 'allow-to-deny' ? 'allows it in the live model' : 'allows it here';
  for (const role of rolesOf(model.explain({ subjects, endpoint, context }))) {
    const place = places.role(role);
    causes.push({ kind: 'role', role, what: `the role ${role} ${verb}`, ...(place !== undefined && { place }) });
  }
  return causes;
};
