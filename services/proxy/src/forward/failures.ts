/** How an exchange can fail, what its caller is told of that, and what it says of the target. */
import type { ProblemCode } from '@postern/schemas';
import type { Overdue } from './deadlines.ts';
import { BodyBrokenOff, ConnectTimedOut, MalformedAnswer } from './http1/exchange.ts';
import { Unsendable } from './http1/request-head.ts';
import { Unrewritable } from './rewrite.ts';
import type { Failure } from './target.ts';

export class BodyTooLarge extends Error {}
export class Ended extends Error {}
export class Late extends Error {
  readonly why: Overdue;
  constructor(why: Overdue) {
    super(why);
    this.why = why;
  }
}

export const toProblem = (error: Error): { code: ProblemCode; detail?: string } => {
  if (error instanceof BodyTooLarge) return { code: 'proxy/body-too-large' };
  if (error instanceof Unrewritable || error instanceof MalformedAnswer)
    return { code: 'proxy/upstream-unreadable', detail: error.message };
  if (error instanceof BodyBrokenOff || error instanceof Unsendable)
    return { code: 'proxy/ambiguous-request', detail: error.message };
  if (error instanceof Late && error.why === 'slow-caller') return { code: 'proxy/request-timeout' };
  if (error instanceof Late || error instanceof ConnectTimedOut) return { code: 'proxy/upstream-timeout' };
  return { code: 'proxy/upstream-unreachable' };
};

/** What an error says of the target; undefined where it says nothing of it. */
export const failureOf = (error: Error, begun: boolean): Failure | undefined => {
  if (error instanceof BodyTooLarge || error instanceof Unrewritable || error instanceof Ended) return undefined;
  if (error instanceof Late) return error.why === 'slow-api' ? 'timeout' : undefined;
  if (error instanceof BodyBrokenOff || error instanceof Unsendable) return undefined;
  return !begun && isConnectFailure(error) ? 'unreachable' : 'broken-off';
};

const connectFailures = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
]);
const isConnectFailure = (error: Error & { code?: unknown }): boolean => connectFailures.has(String(error.code));
