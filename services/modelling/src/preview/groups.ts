/** Flips as a reader wants them: those of one endpoint, for one reason, are one entry with counts and a few callers. */
import type { Direction, Flip } from './flip.ts';
import type { Preview } from './preview.ts';

export type Group = Pick<Flip, 'direction' | 'live' | 'here' | 'causes' | 'wanted'> & {
  readonly callers: number;
  /** The callers with most uses. */
  readonly who: readonly string[];
  readonly uses: number;
  readonly last: string;
  readonly objects: readonly string[];
  readonly objectCount: number;
  readonly example: string;
};
export type Verdict = {
  /** Callers with a flip of this direction that nobody wanted. */
  readonly gain: number;
  readonly lose: number;
  /** Pairs that flip and are wanted. */
  readonly wanted: number;
};

const callersNamedMax = 3;

export const whoOf = ({ subjects }: Pick<Flip, 'subjects'>): string =>
  subjects.length === 0 ? 'anybody, without a credential' : subjects.join(' + ');

export const groupsOf = ({ flips }: Pick<Preview, 'flips'>, direction: Direction): Group[] => {
  const groups = new Map<string, { flips: Flip[] }>();
  for (const flip of flips) {
    if (flip.direction !== direction) continue;
    const key = JSON.stringify([flip.live, flip.here, flip.wanted, flip.causes.map(({ what }) => what)]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { flips: [flip] });
    else known.flips.push(flip);
  }
  return [...groups.values()]
    .map(({ flips }) => toGroup(flips))
    .filter((group) => group !== undefined)
    .sort((a, b) => Number(a.wanted) - Number(b.wanted) || b.callers - a.callers || b.uses - a.uses);
};

/** Flips come with the most used first. */
const toGroup = (flips: readonly Flip[]): Group | undefined => {
  const [first] = flips;
  if (first === undefined) return undefined;
  const { direction, live, here, causes, wanted, example } = first;
  const who = [...new Set(flips.map(whoOf))];
  return {
    ...{ direction, live, here, causes, wanted, example },
    callers: who.length,
    who: who.slice(0, callersNamedMax),
    uses: flips.reduce((sum, { uses }) => sum + uses, 0),
    last:
      flips
        .map(({ last }) => last)
        .sort()
        .at(-1) ?? first.last,
    objects: [...new Set(flips.flatMap(({ objects }) => objects))].slice(0, callersNamedMax),
    objectCount: flips.reduce((sum, { objectCount }) => sum + objectCount, 0),
  };
};

export const verdictOf = ({ flips }: Pick<Preview, 'flips'>): Verdict => {
  const callers = (direction: Direction): number =>
    new Set(flips.flatMap((flip) => (flip.direction === direction && !flip.wanted ? [whoOf(flip)] : []))).size;
  return {
    gain: callers('deny-to-allow'),
    lose: callers('allow-to-deny'),
    wanted: flips.filter(({ wanted }) => wanted).length,
  };
};
