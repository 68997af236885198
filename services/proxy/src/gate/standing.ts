/** May this gate answer at all, now? */
import type { ProblemCode, Sequence } from '@postern/schemas';
import type { Lease } from '../decide/lease.ts';

export type Standing = {
  state: 'starting' | 'serving' | 'stopped';
  /** The head of the log as it was when everyone had been told that this gate is starting. */
  startHead: Sequence | undefined;
  /** All facts up to here have been applied, and whatever they refuse has been cut. */
  enforces: Sequence;
  /** A fact that this version cannot read: nothing can be decided behind it. */
  unreadable: string | undefined;
};

export type Unfit = {
  readonly code: ProblemCode;
  readonly reason: 'not-ready' | 'stale' | 'cannot-decide';
  readonly detail?: string;
};

/** Why the gate must refuse whatever comes, or undefined. */
export const unfit = (standing: Standing, lease: Lease): Unfit | undefined => {
  if (standing.unreadable !== undefined)
    return {
      code: 'proxy/cannot-decide',
      reason: 'cannot-decide',
      detail: 'The log holds a fact that this version cannot read.',
    };
  if (standing.state !== 'serving') return { code: 'proxy/not-ready', reason: 'not-ready' };
  if (!lease.holds()) return { code: 'proxy/stale', reason: 'stale' };
  return undefined;
};
