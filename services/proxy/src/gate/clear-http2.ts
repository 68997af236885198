/** What comes by HTTP/2 in the clear, up the same ladder. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from './door.ts';
import { type Http2Entry, http2Entry } from './http2.ts';
import type { Ladder, Unparsed } from './ladder.ts';

export const clearHttp2 = (ladder: Ladder): Http2Entry => {
  const refuse = (req: IncomingMessage, res: ServerResponse, about: Omit<Unparsed, 'remoteAddress'>): void => {
    const { id, ...refusal } = ladder.refuseUnreadable({ remoteAddress: req.socket.remoteAddress, ...about });
    answer({ kind: 'request', req, res, expectsContinue: false }, refusal, id);
  };
  return http2Entry(
    {
      onRequest: (req, res, expectsContinue) => ladder.enter({ kind: 'request', req, res, expectsContinue }),
      onRefused: (req, res, why) => refuse(req, res, { why: `${why}.`, method: req.method ?? '' }),
      onConnect: (req, res) =>
        refuse(req, res, {
          why: 'The gate opens no tunnels.',
          method: 'CONNECT',
          code: 'proxy/method-not-supported',
        }),
    },
    false,
  );
};
