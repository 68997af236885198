/** One attempt to hand a notice over. Any 2xx is a yes; no redirect is followed, because what was vetted is the address that was configured. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { NoticeSubscription } from '@postern/schemas';
import { reachable } from './reachable.ts';

export type Sent =
  | { readonly outcome: 'delivered'; readonly status: number }
  /** 410: it wants no more of them. */
  | { readonly outcome: 'unwanted'; readonly status: number }
  | {
      readonly outcome: 'failed';
      readonly why: string;
      readonly status?: number;
      /** How long it asked to be left alone, in ms. */
      readonly retryAfterMs?: number;
    };

export type Sender = Disposable & {
  /** Never rejects. `signal` gives the attempt up. */
  readonly send: (headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal) => Promise<Sent>;
};

/** Nobody reads the answer; more of it than this ends the connection. */
const answerBytesMax = 65_536;

export const sender = (
  { url, timeoutMs, allowAddresses }: Pick<NoticeSubscription, 'url' | 'timeoutMs' | 'allowAddresses'>,
  nowMs: () => number,
): Sender => {
  const to = new URL(url);
  const secure = to.protocol === 'https:';
  const { trouble, lookup } = reachable(allowAddresses);
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, maxSockets: 2 })
    : new HttpAgent({ keepAlive: true, maxSockets: 2 });
  return {
    send: (headers, body, signal) => {
      const why = trouble(to.hostname);
      if (why !== undefined) return Promise.resolve({ outcome: 'failed', why });
      return new Promise((resolve) => {
        const timeout = AbortSignal.timeout(timeoutMs);
        const failed = (error: Error): void =>
          resolve({
            outcome: 'failed',
            why: timeout.aborted ? `it did not answer within ${timeoutMs} ms` : error.message,
          });
        const asked = (secure ? httpsRequest : httpRequest)(
          to,
          {
            method: 'POST',
            agent,
            lookup,
            signal: AbortSignal.any([signal, timeout]),
            headers: {
              'content-type': 'application/cloudevents+json; charset=utf-8',
              'content-length': Buffer.byteLength(body),
              'user-agent': 'postern',
              ...headers,
            },
          },
          (answer) => {
            letGo(answer);
            resolve(verdict(answer, nowMs()));
          },
        );
        asked.on('error', failed);
        asked.end(body);
      });
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
};

const letGo = (answer: IncomingMessage): void => {
  let bytes = 0;
  answer.on('error', () => {});
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > answerBytesMax) answer.destroy();
  });
};

const verdict = ({ statusCode: status = 0, headers }: IncomingMessage, nowMs: number): Sent => {
  if (status >= 200 && status < 300) return { outcome: 'delivered', status };
  if (status === 410) return { outcome: 'unwanted', status };
  const retryAfterMs = readRetryAfter(headers['retry-after'], nowMs);
  const why =
    status >= 300 && status < 400 ? `it answered ${status}; redirects are not followed` : `it answered ${status}`;
  return { outcome: 'failed', status, why, ...(retryAfterMs !== undefined && { retryAfterMs }) };
};

/** RFC 9110 §10.2.3: seconds, or a date. */
export const readRetryAfter = (text: string | undefined, nowMs: number): number | undefined => {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
};
