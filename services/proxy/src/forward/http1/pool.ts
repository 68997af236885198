/**
 * The connections to one origin: as many as there are requests under way. A limit would let a few open streams starve everybody else.
 * The one that was used last is used next, so that what is not needed any more grows old and is closed.
 */
import { isIP } from 'node:net';
import { type Connection, type Origin, openConnection } from './connection.ts';
import type { Call, Listener, UnderWay } from './exchange.ts';
import { requestHead } from './request-head.ts';

export type Http1Pool = {
  /** Throws `Unsendable` where the request has no form that could be sent. */
  readonly dispatch: (call: Call, listener: Listener) => UnderWay;
  /** To be called ten times a second, with the monotonic time in ms. */
  readonly look: (now: number) => void;
  /** No new requests; connections end with what is under way on them. */
  readonly retire: () => void;
  readonly destroy: () => void;
};

/** Where the API does not say for how long it keeps a connection: node's own servers do so for five seconds. */
const keptMs = 4_000;
const keptMsMax = 600_000;
/** So much before the API would close it, a connection is not used any more: a request may not cross with its end. */
const marginMs = 1_000;

export const http1Pool = (url: string, connectMs: number): Http1Pool => {
  const origin = originOf(new URL(url));
  const all = new Set<Connection>();
  const idle: Connection[] = [];
  let retired = false;
  let lookedAt = 0;
  const where = {
    free: (connection: Connection): void => {
      connection.idleSince = lookedAt;
      if (retired) connection.destroy();
      else idle.push(connection);
    },
    gone: (connection: Connection): void => {
      all.delete(connection);
      const at = idle.indexOf(connection);
      if (at !== -1) idle.splice(at, 1);
    },
  };
  return {
    dispatch: (call, listener) => {
      const inChunks = call.body !== null && !Buffer.isBuffer(call.body) && call.body.bytes === undefined;
      const head = requestHead(call.method, call.path, call.headers, inChunks ? 'Transfer-Encoding: chunked\r\n' : '');
      let connection = idle.pop();
      if (connection === undefined) {
        connection = openConnection(origin, connectMs, where);
        all.add(connection);
      }
      return connection.send(call, head, listener);
    },
    look: (now) => {
      lookedAt = now;
      for (let at = idle.length - 1; at >= 0; at--) {
        const connection = idle[at];
        const keepsMs = Math.min(keptMsMax, (connection?.keepsMs() ?? keptMs + marginMs) - marginMs);
        if (connection === undefined || now - connection.idleSince < keepsMs) continue;
        idle.splice(at, 1);
        connection.destroy();
      }
    },
    retire: () => {
      retired = true;
      for (const connection of idle.splice(0)) connection.destroy();
    },
    destroy: () => {
      retired = true;
      for (const connection of [...all]) connection.destroy();
    },
  };
};

const originOf = ({ protocol, hostname, port }: URL): Origin => {
  const host = hostname.replace(/^\[|\]$/g, '');
  const encrypted = protocol === 'https:';
  return {
    host,
    port: port === '' ? (encrypted ? 443 : 80) : Number(port),
    // A server name is a name: an address is none (RFC 6066 §3).
    tls: encrypted ? { ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 && { servername: host }) } : undefined,
  };
};
