/**
 * What sources say of principals, by when it holds and not by when it came. Each claim has a place in time: when it takes effect, and
 * when it was said. Of two claims about the same thing the later one stands, so any order of arrival ends in the same state.
 *
 * A joined claim speaks of the state and of all attributes, a moved one of the attributes it names, a left one of the state alone.
 */
import { assertNever } from '../assert-never.ts';
import type { Fact } from '../facts/fact.ts';
import type { AttributeChanges, Attributes, Claim } from '../facts/principal.ts';
import type { PrincipalId } from '../ids.ts';
import { canonicalJson } from '../relationship.ts';
import { layered } from './layers.ts';

/** ms since the epoch: when it takes effect, and when the source said it. */
export type ClaimTime = { readonly effective: number; readonly said: number };

export type State = 'active' | 'left';
type AttributeName = keyof Attributes;
type Named = Partial<Record<AttributeName, ClaimTime & { readonly value: string | null }>>;

export type Claims = {
  readonly state?: ClaimTime & { readonly is: State };
  /** The newest joined claim. */
  readonly base?: ClaimTime & { readonly attributes: Attributes };
  /** The newest left claim, whether or not they are back: what was given them before it is over. */
  readonly left?: ClaimTime;
  /** Attributes of moved claims that are newer than `base`. */
  readonly named: Named;
};
export const noClaims: Claims = { named: {} };

/** Full ties go to what came last, since then no source says which is first. */
export const atLeast = (one: ClaimTime, other: ClaimTime | undefined): boolean =>
  other === undefined ||
  one.effective > other.effective ||
  (one.effective === other.effective && one.said >= other.said);

/** The claims with one more. `firm`: at a full tie, somebody who left stays gone. */
export const withClaim = (claims: Claims, claim: Claim, at: ClaimTime, { firm }: { firm: boolean }): Claims => {
  switch (claim.kind) {
    case 'joined': {
      const tied = claims.state?.effective === at.effective && claims.state.said === at.said;
      const undoes = firm && tied && claims.state?.is === 'left';
      return {
        ...claims,
        ...(atLeast(at, claims.state) && !undoes && { state: { ...at, is: 'active' as const } }),
        ...(atLeast(at, claims.base) && {
          base: { ...at, attributes: claim.attributes },
          named: Object.fromEntries(Object.entries(claims.named).filter(([, each]) => !atLeast(at, each))) as Named,
        }),
      };
    }
    case 'moved': {
      const newer = (Object.entries(claim.attributes) as [AttributeName, string | null | undefined][]).filter(
        ([name, value]) => value !== undefined && atLeast(at, claims.named[name] ?? claims.base),
      );
      return {
        ...claims,
        named: {
          ...claims.named,
          ...Object.fromEntries(newer.map(([name, value]) => [name, { ...at, value: value ?? null }])),
        },
      };
    }
    case 'left':
      return {
        ...claims,
        ...(atLeast(at, claims.left) && { left: at }),
        ...(atLeast(at, claims.state) && { state: { ...at, is: 'left' as const } }),
      };
    default:
      return assertNever(claim);
  }
};

/** What the claims amount to; no state where nobody said joined or left. */
export const outcomeOf = ({
  state,
  base,
  named,
}: Claims): { readonly state: State | undefined; readonly attributes: Attributes } => {
  const attributes: Record<string, string> = { ...(base?.attributes as Record<string, string> | undefined) };
  for (const [name, { value }] of Object.entries(named))
    if (value === null) delete attributes[name];
    else attributes[name] = value;
  return { state: state?.is, attributes: attributes as Attributes };
};

/** Later than everything that is claimed, and not before `now`: where a claim goes that says no time of its own. */
export const afterAll = ({ state, base, left, named }: Claims, now: number): ClaimTime => {
  const all = [state, base, left, ...Object.values(named)].flatMap((each) => each ?? []);
  const latest = Math.max(now, ...all.map(({ effective }) => effective));
  return { effective: latest, said: Math.max(now, ...all.map(({ said }) => said)) };
};

type ClaimFact = Extract<
  Fact,
  {
    type:
      | 'postern.principal.joined.v1'
      | 'postern.principal.moved.v1'
      | 'postern.principal.left.v1'
      | 'postern.principal.claimed.v1';
  }
>;
/** A principal as far as claims are concerned. */
type Known = { readonly state: State; readonly attributes: Attributes; readonly joined: ClaimTime };

/** Everybody's claims. Those who joined and of whom nothing else was said, which are most, are known by their principal alone. */
export class AllClaims {
  readonly #more: Map<PrincipalId, Claims>;

  constructor(under?: AllClaims) {
    this.#more = layered(under === undefined ? undefined : under.#more);
  }

  of(id: PrincipalId, known: Known | undefined): Claims {
    const more = this.#more.get(id);
    if (more !== undefined || known === undefined) return more ?? noClaims;
    return {
      state: { ...known.joined, is: known.state },
      base: { ...known.joined, attributes: known.attributes },
      named: {},
    };
  }

  /** When the principal left last, as far as anybody has said. */
  leftAt(id: PrincipalId): ClaimTime | undefined {
    return this.#more.get(id)?.left;
  }

  /** Principals of whom something was said, but not that they joined or left. */
  *waiting(): Generator<readonly [PrincipalId, Claims]> {
    for (const [id, claims] of this.#more) if (claims.state === undefined) yield [id, claims];
  }

  /** Takes a fact in; answers the attributes that the principal has after it. `known` is what was known before. */
  apply(fact: ClaimFact, known: Known | undefined): Attributes {
    const { principal } = fact.data;
    const at = claimTime(fact);
    const before = this.of(principal, known);
    // Nobody has said anything of them yet: they are known by their principal alone.
    if (before === noClaims && fact.type === 'postern.principal.joined.v1' && fact.data.claim === undefined)
      return fact.data.attributes;
    const claimed = withClaim(before, claimOf(fact), at, { firm: false });
    const claims = fact.type === 'postern.principal.claimed.v1' ? claimed : asFact(claimed, fact, at);
    if (fact.type === 'postern.principal.joined.v1' && fact.data.claim === undefined && claims.base !== undefined)
      if (
        claims.left === undefined &&
        Object.keys(claims.named).length === 0 &&
        claims.base.effective === at.effective
      ) {
        this.#more.delete(principal);
        return fact.data.attributes;
      }
    this.#more.set(principal, claims);
    return outcomeOf(claims).attributes;
  }
}

/** When a fact's claim takes effect, and when it was said. */
export const claimTime = ({ time, inboundtime }: Pick<Fact, 'time' | 'inboundtime'>): ClaimTime => {
  const effective = Date.parse(time);
  return { effective, said: inboundtime === undefined ? effective : Date.parse(inboundtime) };
};

const claimOf = (fact: ClaimFact): Claim => {
  if (fact.data.claim !== undefined) return fact.data.claim;
  switch (fact.type) {
    case 'postern.principal.joined.v1':
      return { kind: 'joined', attributes: fact.data.attributes };
    case 'postern.principal.left.v1':
      return { kind: 'left' };
    case 'postern.principal.moved.v1': {
      const { before, after } = fact.data;
      const names = [...new Set([...Object.keys(before), ...Object.keys(after)])] as AttributeName[];
      const changed = names.filter((name) => before[name] !== after[name]);
      return {
        kind: 'moved',
        attributes: Object.fromEntries(changed.map((name) => [name, after[name] ?? null])) as AttributeChanges,
      };
    }
    case 'postern.principal.claimed.v1':
      return fact.data.claim;
    default:
      return assertNever(fact);
  }
};

/** A fact stands, whatever the claims before it: a log may be older than the rule, or its writers' clocks may differ. */
const asFact = (
  claims: Claims,
  fact: Exclude<ClaimFact, { type: 'postern.principal.claimed.v1' }>,
  at: ClaimTime,
): Claims => {
  const is: State = fact.type === 'postern.principal.left.v1' ? 'left' : 'active';
  const latest = afterAll(claims, at.effective);
  const stated = claims.state?.is === is ? claims : { ...claims, state: { ...latest, is } };
  if (fact.type === 'postern.principal.left.v1') return stated;
  const attributes = fact.type === 'postern.principal.joined.v1' ? fact.data.attributes : fact.data.after;
  return canonicalJson(outcomeOf(stated).attributes) === canonicalJson(attributes)
    ? stated
    : { ...stated, base: { ...latest, attributes }, named: {} };
};
