/** The decision point of an authorizer in another process. It never rejects: whatever goes wrong is "could not ask". */
import { type Answer, type DecisionPoint, Problem, type Question } from '@postern/schemas';
import { Pool } from 'undici';
import { microBatch } from './micro-batch.ts';
import { decidePath, fromWireAnswer, toWireQuestion, WireAnswers } from './wire.ts';

export type OpenDecisionPointOptions = {
  /** Shared with the authorizer (its `pdpToken`), where there is one. */
  readonly token?: string;
  /** For one request, from sending it to its last byte, in ms. */
  readonly deadlineMs?: number;
  readonly connectionsMax?: number;
};

export type OpenDecisionPoint = DecisionPoint & AsyncDisposable;

/** `url` is where the authorizer listens: `http://host:port`. Throws `runtime/bad-config` where it is no such URL. */
export const openDecisionPoint = (
  url: string,
  { token, deadlineMs = 2_000, connectionsMax = 8 }: OpenDecisionPointOptions = {},
): OpenDecisionPoint => {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new Problem('runtime/bad-config', {
      detail: `"${url}" is not where an authorizer can be`,
      fix: 'Write http://HOST:PORT.',
    });
  const pool = new Pool(new URL(url).origin, {
    connections: connectionsMax,
    keepAliveTimeout: 30_000,
    connect: { timeout: deadlineMs },
  });
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };

  const ask = async (questions: readonly Question[]): Promise<readonly Answer[]> => {
    const signal = AbortSignal.timeout(deadlineMs);
    try {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: decidePath,
        headers,
        body: JSON.stringify(questions.map(toWireQuestion)),
        signal,
      });
      if (statusCode !== 200) {
        await body.dump();
        return noneOf(questions, 'engine-unreachable');
      }
      const answers = WireAnswers.parse(await body.json()).map(fromWireAnswer);
      return answers.length === questions.length ? answers : noneOf(questions, 'engine-unreachable');
    } catch {
      return noneOf(questions, signal.aborted ? 'timeout' : 'engine-unreachable');
    }
  };

  return {
    decide: microBatch(ask, { itemsMax: 1_000, inFlightMax: connectionsMax }),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
};

const noneOf = (questions: readonly Question[], reason: 'engine-unreachable' | 'timeout'): Answer[] =>
  questions.map(() => ({ outcome: 'unavailable', reason }));
