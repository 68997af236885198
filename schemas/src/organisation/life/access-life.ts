/** The life of access: what is asked for, taken in an emergency, under review, or withheld. A part of the one fold. */
import type { Fact } from '../../facts/fact.ts';
import type { LoggedFact } from '../../facts/log-entry.ts';
import type { PrincipalId, RoleName } from '../../ids.ts';
import { layered } from '../layers.ts';
import type { Standing } from '../standing.ts';
import { BreakGlass } from './break-glass.ts';
import { Requests } from './requests.ts';
import { Reviews } from './reviews.ts';

export type Withheld = { readonly because: 'separation-of-duties' | 'revoked'; readonly reason: string };

export class AccessLife {
  readonly requests: Requests;
  readonly breakGlass: BreakGlass;
  readonly reviews: Reviews;
  readonly #withheld: Map<PrincipalId, Map<RoleName, Withheld>>;

  constructor(under?: AccessLife) {
    this.requests = new Requests(under?.requests);
    this.breakGlass = new BreakGlass(under?.breakGlass);
    this.reviews = new Reviews(under?.reviews);
    this.#withheld = layered(under === undefined ? undefined : under.#withheld);
  }

  withheld(principal: PrincipalId, role: RoleName): Withheld | undefined {
    return this.#withheld.get(principal)?.get(role);
  }
  *allWithheld(): Generator<Withheld & { readonly principal: PrincipalId; readonly role: RoleName }> {
    for (const [principal, roles] of this.#withheld)
      for (const [role, withheld] of roles) yield { principal, role, ...withheld };
  }

  /** `before` is the organisation without the fact. */
  take(entry: LoggedFact & { readonly fact: Fact }, before: Standing): void {
    const { fact, sequence } = entry;
    this.requests.take(fact, sequence);
    this.breakGlass.take(fact, sequence);
    this.reviews.take(entry, before);
    if (fact.type === 'postern.birthright.withheld.v1') {
      const { principal, role, because, reason } = fact.data;
      const roles = this.#withheld.get(principal) ?? new Map<RoleName, Withheld>();
      this.#withheld.set(principal, roles.set(role, { because, reason }));
    } else if (fact.type === 'postern.principal.moved.v1' || fact.type === 'postern.principal.left.v1')
      // Another job is another reason; what is still to be withheld is said anew behind the move.
      this.#withheld.delete(fact.data.principal);
    else if (fact.type === 'postern.grant.issued.v1' && fact.data.origin === 'birthright')
      this.#withheld.get(fact.data.subject as unknown as PrincipalId)?.delete(fact.data.role);
    else if (fact.type === 'postern.role.retired.v1')
      for (const roles of this.#withheld.values()) roles.delete(fact.data.role);
  }
}
