/** Callers that call without a pause on connections that they keep, and say of each call that did not go well how it went. */
import { Agent, request } from 'node:http';

export type Load = {
  readonly answered: () => number;
  /** Each failure in words; empty where every request had its answer. */
  readonly stop: () => Promise<readonly string[]>;
};

export const constantLoad = (
  url: string,
  headers: Readonly<Record<string, string>>,
  { callers = 8, expected = [200] }: { readonly callers?: number; readonly expected?: readonly number[] } = {},
): Load => {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const failures: string[] = [];
  let answered = 0;
  let over = false;
  const one = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const failed = (what: string): void => {
        failures.push(what);
        resolve();
      };
      const body = count % 3 === 0 ? `body ${count}` : undefined;
      const sent = request(`${url}${body === undefined ? '/read' : '/write'}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
        agent,
      });
      sent.once('error', (error: NodeJS.ErrnoException) => failed(`${error.code} ${error.message}`));
      sent.once('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.once('end', () => {
          if (!expected.includes(response.statusCode ?? 0)) return failed(`${response.statusCode} ${text}`);
          answered++;
          resolve();
        });
        response.once('error', (error) => failed(error.message));
      });
      sent.end(body);
    });
  const calling = Array.from({ length: callers }, async (_, caller) => {
    for (let count = caller; !over; count++) await one(count);
  });
  return {
    answered: () => answered,
    stop: async () => {
      over = true;
      await Promise.all(calling);
      agent.destroy();
      return failures;
    },
  };
};
