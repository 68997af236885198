/** What used calls would lack under the live model, each subject and each thing by itself. */
import { type EndpointId, type ObjectQuestion, type Organisation, objectText } from '@postern/schemas';
import type { Ask, Asking } from '../preview/asking.ts';
import type { Pair, Variant } from '../preview/gather.ts';
import type { Subject } from '../preview/use.ts';

export type Used = {
  readonly variant: Variant;
  readonly pair: Pair;
  readonly endpoint: EndpointId;
  readonly subjects: readonly Subject[];
  readonly objects: readonly ObjectQuestion[];
};
/** Who lacks what, with how many uses. */
export type Needs<Thing> = Map<string, { readonly thing: Thing; readonly callers: Map<Subject, number> }>;
export type Lacking = { readonly used: Used; readonly reason: 'no-grant' | 'condition' | 'undecided' };

/** Postern's own endpoints are no part of a proposal, and neither is what its token's scopes refuse. */
export const usedOf = (pairs: readonly Pair[]): Used[] =>
  pairs.flatMap((pair) => {
    const { live, subjects, lacks } = pair;
    if (live === undefined || subjects.length === 0 || lacks.live.length > 0 || live.startsWith('postern/')) return [];
    return [...pair.variants.values()].map((variant) => ({
      ...{ variant, pair, subjects },
      endpoint: live,
      objects: variant.objects.live,
    }));
  });

const contextOf = ({ variant }: Used) => variant.circumstances[0]?.context ?? { now: '1970-01-01T00:00:00Z' };

/** Those that are refused in one of the circumstances in which they were used, and why. */
export const lackingOf = async (asks: Asking, all: readonly Used[], withObjects = true): Promise<Lacking[]> => {
  const asked = all.flatMap((used) =>
    used.variant.circumstances.map(({ context }) => ({
      used,
      ask: toAsk(used, withObjects ? used.objects : [], context),
    })),
  );
  const answers = await asks.ask(asked.map(({ ask }) => ask));
  const lacking = new Map<Used, Lacking['reason']>();
  for (const [at, { used }] of asked.entries()) {
    const answer = answers[at];
    if (answer?.outcome === 'allow') continue;
    const reason =
      answer?.outcome !== 'deny' ? 'undecided' : answer.reason === 'no-grant' ? 'no-grant' : ('condition' as const);
    if (lacking.get(used) !== 'no-grant') lacking.set(used, reason);
  }
  return [...lacking].map(([used, reason]) => ({ used, reason }));
};

const toAsk = (
  { endpoint, subjects: all }: Used,
  objects: readonly ObjectQuestion[],
  context: Ask['context'],
  subjects = all,
): Ask => ({ subjects, endpoint, objects, context });

/** Endpoints that one of the subjects of a call may not call. */
export const endpointNeeds = async (asks: Asking, lacking: readonly Used[]): Promise<Needs<EndpointId>> => {
  const needs: Needs<EndpointId> = new Map();
  const open = lacking.flatMap((used) => used.subjects.map((subject) => ({ used, subject })));
  const answers = await asks.ask(open.map(({ used, subject }) => toAsk(used, [], contextOf(used), [subject])));
  for (const [at, { used, subject }] of open.entries()) {
    const answer = answers[at];
    if (answer?.outcome === 'deny' && answer.reason === 'no-grant')
      note(needs, used.endpoint, used.endpoint, subject, used.variant.uses);
  }
  return needs;
};

/** Objects that one of the subjects does not hold. Asked once the endpoint is open to them: that alone must not be the reason. */
export const objectNeeds = async (asks: Asking, lacking: readonly Used[]): Promise<Needs<ObjectNeed>> => {
  const needs: Needs<ObjectNeed> = new Map();
  const open = lacking.flatMap((used) =>
    used.subjects.flatMap((subject) => used.objects.map((object) => ({ used, subject, object }))),
  );
  const asked = open.flatMap(({ used, subject, object }) => [
    toAsk(used, [], contextOf(used), [subject]),
    toAsk(used, [object], contextOf(used), [subject]),
  ]);
  const answers = await asks.ask(asked);
  for (const [at, { used, subject, object }] of open.entries()) {
    const [endpointAnswer, answer] = [answers[2 * at], answers[2 * at + 1]];
    if (endpointAnswer?.outcome === 'allow' && answer?.outcome === 'deny' && answer.reason === 'no-grant')
      note(needs, objectText(object), { ...object, endpoint: used.endpoint }, subject, used.variant.uses);
  }
  return needs;
};
export type ObjectNeed = ObjectQuestion & { readonly endpoint: EndpointId };

const note = <Thing>(needs: Needs<Thing>, key: string, thing: Thing, subject: Subject, uses: number): void => {
  const need = needs.get(key) ?? { thing, callers: new Map() };
  need.callers.set(subject, (need.callers.get(subject) ?? 0) + uses);
  needs.set(key, need);
};

/** Nobody can be given a role who has not joined, or has left. */
export const isKnown = (organisation: Organisation, subject: Subject): boolean =>
  subject.startsWith('credential:')
    ? organisation.credentials.has(subject as never)
    : organisation.principals.get(subject as never)?.state === 'active';
