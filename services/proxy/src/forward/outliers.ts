/**
 * Which targets get no requests for a while: the circuit breaker. A target that fails is set aside, each time twice as long, and then
 * gets one request at a time until one goes well. Of those that can be reached only a share is set aside: an API that answers badly
 * everywhere is still called. A target that nothing connects to is set aside in any case: calling it is only waiting.
 */
import type { Outliers } from '@postern/schemas';
import type { TargetState, Upstream } from './target.ts';

/** Shares are looked at this often, in ms, and among this many answers at least. */
export const shareEveryMs = 10_000;
const answersMin = 20;

/** To be called after a failure of `target`. `targets` are all of its group. */
export const judge = (target: Upstream, targets: readonly Upstream[], outliers: Outliers, now: number): void => {
  const { state } = target;
  if (state.standing === 'out' || outliers.consecutiveFailures === 0) return;
  if (state.standing === 'trying') setAside(state, outliers, now, 'it failed when it was tried again');
  else if (state.failures < outliers.consecutiveFailures) return;
  else if (state.unreachable >= outliers.consecutiveFailures)
    setAside(state, outliers, now, `no connection, ${state.unreachable} times in a row`);
  else if (mayLose(targets, outliers)) setAside(state, outliers, now, `${state.failures} failures in a row`);
};

/** To be called every {@link shareEveryMs}. */
export const judgeShares = (targets: readonly Upstream[], outliers: Outliers, now: number): void => {
  for (const { state } of targets) {
    const { answers, bad } = state;
    state.answers = 0;
    state.bad = 0;
    if (outliers.consecutiveFailures === 0 || outliers.failureShare === 0 || state.standing !== 'in') continue;
    if (answers < answersMin || bad / answers < outliers.failureShare) continue;
    if (mayLose(targets, outliers)) setAside(state, outliers, now, `${bad} of ${answers} answers were failures`);
  }
};

/** To be called often: whose time is over is tried again. */
export const readmit = (targets: readonly Upstream[], now: number): void => {
  for (const { state } of targets)
    if (state.standing === 'out' && state.well && now >= state.outUntil) state.standing = 'trying';
};

const setAside = (state: TargetState, { baseMs, maxMs }: Outliers, now: number, why: string): void => {
  const forMs = Math.min(maxMs, baseMs * 2 ** Math.min(state.timesOut, 20));
  state.standing = 'out';
  state.outUntil = now + forMs;
  state.timesOut++;
  state.total.setAside++;
  state.why = why;
  state.failures = 0;
  state.unreachable = 0;
};

/** One more of those that can be reached. */
const mayLose = (targets: readonly Upstream[], { maxShare }: Outliers): boolean => {
  let out = 0;
  for (const { state } of targets) if (state.standing !== 'in') out++;
  return out + 1 <= targets.length * maxShare && out + 1 < targets.length;
};
