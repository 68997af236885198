/** WebSockets: two sockets joined by http-proxy-3, with an error handler on each, and a way to part them. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ProblemCode } from '@postern/schemas';
import { createProxyServer } from 'http-proxy-3';
import { type Cut, type Outgoing, responseHeaders, type Watch } from './forwarding.ts';
import { answered, begun, ended, type Failure, failed } from './target.ts';

export type UpgradeForwarder = (req: IncomingMessage, socket: Socket, head: Buffer, out: Outgoing, watch: Watch) => Cut;

/** A close frame as servers send it. */
const closeFrame = (code: number): Buffer => Buffer.from([0x88, 0x02, code >> 8, code & 0xff]);
/** Not allowed (any more); and, silent for too long, RFC 6455's "going away". */
const notAllowed = closeFrame(4403);
const goingAway = closeFrame(1001);

export const upgradeForwarder = (): UpgradeForwarder => {
  const proxy = createProxyServer({ toProxy: true, prependPath: false, changeOrigin: false, xfwd: false });
  // Without a listener http-proxy-3 throws; what matters is handled per socket below.
  proxy.on('error', () => {});
  /** What to do with the outgoing request of an incoming one: the event below is the only place that shows it. */
  const opened = new WeakMap<IncomingMessage, (outgoing: ClientRequest) => void>();
  proxy.on('proxyReqWs', (outgoing, req) => opened.get(req as IncomingMessage)?.(outgoing));

  return (req, socket, head, out, watch) => {
    const { upstream, pace } = out;
    let over = false;
    let hasAnswer = false;
    let behind: Socket | undefined;
    let outgoing: ClientRequest | undefined;
    const end = (): void => {
      if (over) return;
      over = true;
      ended(upstream);
      outgoing?.destroy();
      behind?.destroySoon();
      watch.ended();
    };
    const fail = (code: ProblemCode, failure: Failure): void => {
      if (over) return;
      if (!socket.destroyed) failed(upstream, failure);
      if (hasAnswer) socket.destroy();
      else watch.failed(code);
      end();
    };
    const unreachable = (): void => fail('proxy/upstream-unreachable', hasAnswer ? 'broken-off' : 'unreachable');
    begun(upstream);
    socket.on('error', () => socket.destroy());
    socket.once('close', end);
    // Half a WebSocket is none: whoever ends its side ends both, once what it sent before has been passed on.
    socket.once('end', () => {
      if (behind !== undefined) socket.destroySoon();
    });

    opened.set(req, (request) => {
      outgoing = request;
      request.on('error', unreachable);
      const answer = (response: IncomingMessage): void => {
        hasAnswer = true;
        answered(upstream, response.statusCode ?? 502);
        response.headers = toObject(responseHeaders(response.rawHeaders, out));
        response.on('error', () => socket.destroy());
      };
      // Registered before http-proxy-3's own listeners, so that they see the headers as they are left here.
      request.once('upgrade', (response, upgraded) => {
        answer(response);
        response.headers['connection'] = 'Upgrade';
        response.headers['upgrade'] = 'websocket';
        behind = upgraded as Socket;
        pace.waitsFor = 'frames';
        pace.moved = true;
        upgraded.on('error', () => socket.destroy());
        upgraded.once('close', () => socket.destroySoon());
      });
      request.once('response', (response) => {
        answer(response);
        response.headers['connection'] = 'close';
        pace.waitsFor = 'frames';
        pace.moved = true;
        response.once('close', () => {
          if (!response.complete) socket.destroy();
        });
      });
    });

    req.url = out.path;
    req.headers = { ...toObject(out.headers), connection: 'Upgrade', upgrade: 'websocket' };
    try {
      proxy.ws(req, socket, head, { target: upstream.origin }, unreachable);
    } catch {
      unreachable();
    }
    return (why) => {
      if (over) return;
      if (why !== undefined && !hasAnswer) return fail('proxy/upstream-timeout', 'timeout');
      if (behind !== undefined) {
        behind.unpipe(socket);
        behind.destroy();
        if (!socket.destroyed) socket.write(why === undefined ? notAllowed : goingAway);
        socket.destroySoon();
      } else socket.destroy();
      end();
    };
  };
};

/** Names in lower case; values that came several times in a list. */
const toObject = (headers: readonly string[]): Record<string, string | string[]> => {
  const object: Record<string, string | string[]> = {};
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = (headers[at] ?? '').toLowerCase();
    const value = headers[at + 1] ?? '';
    const before = object[name];
    object[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return object;
};
