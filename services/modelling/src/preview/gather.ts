/** Many calls become few questions: each pair of caller and endpoint (with the objects it touches) once, with the circumstances in which it was used. */
import {
  type Context,
  type EndpointId,
  type Match,
  type ObjectQuestion,
  type Organisation,
  objectsOf,
  objectText,
  readTarget,
  routeMatcher,
} from '@postern/schemas';
import type { ReadUse, Subject, Use } from './use.ts';

export type Circumstance = { readonly context: Context; uses: number };
export type Pair = {
  readonly subjects: readonly Subject[];
  /** Where the call goes under the live routes, and under those of the files here; undefined: nowhere. */
  readonly live: EndpointId | undefined;
  readonly here: EndpointId | undefined;
  /** What the call touches under either: asked together with the endpoint, as the gate does. */
  readonly objects: { readonly live: readonly ObjectQuestion[]; readonly here: readonly ObjectQuestion[] };
  /** One of the calls. */
  readonly example: string;
  uses: number;
  observed: number;
  last: string;
  readonly circumstances: Map<string, Circumstance>;
  /** Uses in circumstances beyond those that are kept. */
  notAsked: number;
};
export type Gathered = {
  readonly pairs: readonly Pair[];
  readonly read: number;
  /** What was not asked about, and why. */
  readonly leftOut: ReadonlyMap<string, number>;
  readonly from: string | undefined;
  readonly until: string | undefined;
};

/** Circumstances that are kept of one pair: a condition is judged on these, and what lies beyond is stated. */
const circumstancesMax = 24;

export type GatherOptions = {
  /** Epoch ms: earlier calls are not looked at. */
  readonly sinceMs?: number;
  readonly live: Pick<Organisation, 'services'>;
  readonly here: Pick<Organisation, 'services'>;
};

export const gather = async (
  uses: AsyncIterable<ReadUse>,
  { sinceMs = 0, live, here }: GatherOptions,
): Promise<Gathered> => {
  const routes = [router(live), router(here)] as const;
  const pairs = new Map<string, Pair>();
  const leftOut = new Map<string, number>();
  let read = 0;
  let from: string | undefined;
  let until: string | undefined;
  for await (const each of uses) {
    if (each.outcome === 'left-out') {
      leftOut.set(each.why, (leftOut.get(each.why) ?? 0) + 1);
      continue;
    }
    const { use } = each;
    if (sinceMs > 0 && Date.parse(use.at) < sinceMs) continue;
    read++;
    if (from === undefined || use.at < from) from = use.at;
    if (until === undefined || use.at > until) until = use.at;
    const [a, b] = [routes[0](use), routes[1](use)];
    const objects = { live: a?.objects ?? [], here: b?.objects ?? [] };
    const key = [
      a?.endpoint ?? '',
      ...textsOf(objects.live),
      b?.endpoint ?? '',
      ...textsOf(objects.here),
      ...use.subjects,
    ].join(' ');
    let pair = pairs.get(key);
    if (pair === undefined) {
      const { subjects, at: last } = use;
      const example = `${use.method} ${use.path}`;
      pair = {
        subjects,
        live: a?.endpoint,
        here: b?.endpoint,
        objects,
        example,
        uses: 0,
        observed: 0,
        last,
        circumstances: new Map(),
        notAsked: 0,
      };
      pairs.set(key, pair);
    }
    pair.uses++;
    if (use.observed) pair.observed++;
    if (use.at > pair.last) pair.last = use.at;
    remember(pair, use);
  }
  return { pairs: [...pairs.values()], read, leftOut, from, until };
};

/** By the hour: weekly hours turn at minutes, but a pair that is used all day is better known by its day than by one minute of it. */
const remember = (pair: Pair, { at, ip, country }: Use): void => {
  const key = `${at.slice(0, 13)} ${ip ?? ''} ${country ?? ''}`;
  const known = pair.circumstances.get(key);
  if (known !== undefined) known.uses++;
  else if (pair.circumstances.size >= circumstancesMax) pair.notAsked++;
  else {
    const now = `${new Date(at).toISOString().slice(0, 19)}Z`;
    const context = { now, ...(ip !== undefined && { ip }), ...(country !== undefined && { country }) };
    pair.circumstances.set(key, { context, uses: 1 });
  }
};

type Place = { readonly endpoint: EndpointId; readonly objects: readonly ObjectQuestion[] };
const textsOf = (objects: readonly ObjectQuestion[]): string[] => objects.map(objectText);

/** Where a call goes; nowhere, too, if its path names no object in one way only: the gate refuses that. One of many operations behind a path was told apart by its body, which is not recorded: it keeps its endpoint's name. */
const router = ({ services }: Pick<Organisation, 'services'>): ((use: Use) => Place | undefined) => {
  const matcher = routeMatcher(services.values());
  const operations = new Set<string>();
  for (const { endpoints } of services.values())
    for (const { id, operation } of endpoints) if (operation !== undefined) operations.add(id);
  return ({ method, path, endpoint }) => {
    if (endpoint !== undefined && operations.has(endpoint)) return { endpoint: endpoint as EndpointId, objects: [] };
    const target = readTarget(path);
    const match: Match | undefined = target.outcome === 'read' ? matcher.match(method, target) : undefined;
    const named = match === undefined ? undefined : objectsOf(match);
    return match === undefined || named?.outcome !== 'named'
      ? undefined
      : { endpoint: match.endpoint.id, objects: named.objects };
  };
};
