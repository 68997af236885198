/** Requests for roles, from the question to the answer. */
import type { Fact } from '../../facts/fact.ts';
import type { GrantId, PrincipalId, RequestId, RoleName, Sequence } from '../../ids.ts';
import { layeredSet } from '../layers.ts';
import { Kept } from './kept.ts';

export type Approval = { readonly by: PrincipalId; readonly as: string; readonly reason?: string };
export type AccessRequest = {
  readonly id: RequestId;
  readonly subject: PrincipalId;
  readonly role: RoleName;
  readonly requester: PrincipalId;
  readonly duration: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly extends?: GrantId;
  readonly askedAt: Sequence;
  /** RFC 3339. */
  readonly asked: string;
  readonly answerBy: string;
  readonly state: 'open' | 'granted' | 'denied' | 'withdrawn' | 'unanswered';
  readonly approvals: readonly Approval[];
  /** What it was answered with. */
  readonly grant?: GrantId;
  readonly ended?: { readonly at: Sequence; readonly by: string; readonly reason?: string };
};

export class Requests {
  readonly #kept: Kept<RequestId, AccessRequest>;
  readonly #open: Set<RequestId>;

  constructor(under?: Requests) {
    this.#kept = new Kept(1_000, under === undefined ? undefined : under.#kept);
    this.#open = layeredSet(under === undefined ? undefined : under.#open);
  }

  get(id: RequestId): AccessRequest | undefined {
    return this.#kept.get(id);
  }
  all(): AccessRequest[] {
    return [...this.#kept.all()];
  }
  open(): AccessRequest[] {
    return [...this.#open].flatMap((id) => this.#kept.get(id) ?? []);
  }

  take(fact: Fact, sequence: Sequence): void {
    switch (fact.type) {
      case 'postern.grant.requested.v1': {
        const { request: id, extends: longer, ticket, ...data } = fact.data;
        this.#open.add(id);
        this.#kept.set(id, {
          id,
          ...data,
          ...(ticket !== undefined && { ticket }),
          ...(longer !== undefined && { extends: longer }),
          askedAt: sequence,
          asked: fact.recordedtime,
          state: 'open',
          approvals: [],
        });
        return;
      }
      case 'postern.grant.approved.v1': {
        const { request, by, as, reason } = fact.data;
        const open = this.#kept.get(request);
        if (open !== undefined)
          this.#kept.set(request, {
            ...open,
            approvals: [...open.approvals, { by, as, ...(reason !== undefined && { reason }) }],
          });
        return;
      }
      case 'postern.grant.issued.v1':
        if (fact.data.request !== undefined) this.#end(fact.data.request, 'granted', fact, sequence, fact.data.grant);
        return;
      case 'postern.grant.denied.v1':
        this.#end(fact.data.request, 'denied', fact, sequence);
        return;
      case 'postern.grant.withdrawn.v1':
        this.#end(fact.data.request, 'withdrawn', fact, sequence);
        return;
      case 'postern.grant.unanswered.v1':
        this.#end(fact.data.request, 'unanswered', fact, sequence);
        return;
      case 'postern.principal.left.v1': {
        // Nobody is left whom an approval could give anything.
        const { principal } = fact.data;
        for (const { id, subject } of this.open())
          if (subject === principal) this.#end(id, 'withdrawn', fact, sequence);
        return;
      }
      default:
    }
  }

  #end(id: RequestId, state: AccessRequest['state'], fact: Fact, at: Sequence, grant?: GrantId): void {
    const open = this.#kept.get(id);
    if (open?.state !== 'open') return;
    this.#open.delete(id);
    const reason = 'reason' in fact.data ? fact.data.reason : undefined;
    const ended = { at, by: fact.authid, ...(reason !== undefined && { reason }) };
    this.#kept.end(id, { ...open, state, ended, ...(grant !== undefined && { grant }) });
  }
}
