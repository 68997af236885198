/** What sources say of memberships and relations, by when it holds: of two claims about one edge the later stands, whichever came first. */
import type { Fact } from '../facts/fact.ts';
import { atLeast, type ClaimTime, claimTime } from './claims.ts';

/** `waits`: whether it may count once the member is here, or is here again. What is said here holds for who is here. */
export type EdgeTime = ClaimTime & { readonly waits: boolean };
export type EdgeClaim = { readonly is: 'in' | 'out'; readonly at: ClaimTime };

/** Before everything. */
export const dawn: EdgeTime = { effective: 0, said: 0, waits: false };

export const edgeTime = (fact: Pick<Fact, 'time' | 'inboundtime' | 'inboundsource'>): EdgeTime => ({
  ...claimTime(fact),
  waits: fact.inboundsource !== undefined && !fact.inboundsource.startsWith('/postern/'),
});

export const isAfter = (one: ClaimTime, other: ClaimTime | undefined): boolean =>
  other === undefined || !atLeast(other, one);

/** A fact stands, whatever was said before it: then it counts as said at least as late. */
export const later = <Time extends ClaimTime>(one: Time, other: ClaimTime | undefined): Time =>
  other === undefined || atLeast(one, other) ? one : { ...one, effective: other.effective, said: other.said };

/** Does a claim stand against what is known of the edge? At a full tie out stands. */
export const stands = (is: EdgeClaim['is'], at: ClaimTime, before: EdgeClaim | undefined): boolean =>
  before === undefined || isAfter(at, before.at) || (atLeast(at, before.at) && (is === 'out' || before.is === 'in'));
