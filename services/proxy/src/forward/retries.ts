/**
 * When a request may be sent a second time: only if the API cannot have acted on it, or if acting twice is the same as acting once
 * (RFC 9110 §9.2.2), never after a byte of an answer, and only while the budget lasts.
 */
import type { Retries } from '@postern/schemas';

/** RFC 9110 calls PUT and DELETE idempotent too; an API behind them often is not, so they are not repeated once they were sent. */
const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

/** `sent`: a byte of the request may have reached the API. */
export const repeatable = (method: string, { sent, hasBody }: { sent: boolean; hasBody: boolean }): boolean =>
  !sent || (!hasBody && safe.has(method));

/** Retries that may be made before any request has earned one, and the most that can be saved up. */
const reserve = 10;

/** Spending one needs a whole retry; every request earns `budgetShare` of one. */
export const retryBudget = ({
  budgetShare,
}: Retries): { earn: () => void; spend: () => boolean; spent: () => number } => {
  let saved = reserve;
  let spent = 0;
  return {
    earn: () => {
      if (saved < reserve) saved += budgetShare;
    },
    spend: () => {
      if (saved < 1) return false;
      saved--;
      spent++;
      return true;
    },
    spent: () => spent,
  };
};
