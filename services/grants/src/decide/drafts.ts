/** Fact drafts with the envelope that the circumstances give. */
import type { FactDraft, FactOf, FactType } from '@postern/schemas';
import { Problem, type ProblemCode, type ProblemOptions } from '@postern/schemas';
import type { Circumstances, Decided } from './command.ts';

export const draft = <Type extends FactType>(
  type: Type,
  subject: string | undefined,
  data: FactOf<Type>['data'],
  at: Circumstances,
  id: string = at.newId(),
): FactDraft =>
  ({
    id,
    source: '/postern/grants',
    type,
    ...(subject !== undefined && { subject }),
    time: at.occurred,
    recordedtime: at.now,
    correlationid: at.correlation,
    ...(at.causation !== undefined && { causationid: at.causation }),
    ...(at.inbound && { inboundsource: at.inbound.source, inboundid: at.inbound.id, inbounddigest: at.inbound.digest }),
    ...(at.said !== undefined && at.said !== at.occurred && { inboundtime: at.said }),
    authtype: at.actor.authtype,
    authid: at.actor.authid,
    ...(at.traceparent !== undefined && { traceparent: at.traceparent }),
    data,
  }) as FactDraft;

export const facts = (...drafts: readonly FactDraft[]): Decided =>
  drafts.length > 0 ? { outcome: 'facts', facts: drafts } : nothing;
export const nothing: Decided = { outcome: 'nothing' };
export const refused = (code: ProblemCode, options: ProblemOptions): Decided => ({
  outcome: 'refused',
  problem: new Problem(code, options),
});
/** `{ reason }` where there is one: an absent reason and an empty one are different facts. */
export const because = (reason: string | undefined): { reason?: string } => (reason === undefined ? {} : { reason });
/** The gate judges by whole seconds: an end in the middle of one would come with the next. */
export const wholeSecond = (ms: number): string => new Date(Math.floor(ms / 1_000) * 1_000).toISOString();
