/** kafkajs as this adapter uses it: silent, with sockets that can be let go of at once, and with time-outs that suit a gate. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ISocketFactory, Kafka, logLevel } from 'kafkajs';
import type { KafkaSettings } from './settings.ts';

export const clientId = 'postern';
export const connectionTimeoutMs = 3_000;
/** How long an answer may take beyond what the request itself asks the broker to wait. */
export const requestTimeoutMs = 5_000;

export type Sockets = {
  readonly factory: ISocketFactory;
  /** Everything ever handed to a socket: where it did not grow, nothing was sent. */
  readonly bytesWritten: () => number;
  /** Ends all connections now; what is under way on them fails. */
  readonly destroy: () => void;
};

export const trackedSockets = (): Sockets => {
  const open = new Set<Socket>();
  let closedBytes = 0;
  return {
    factory: ({ host, port, ssl, onConnect }) => {
      const socket: Socket = ssl
        ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
        : connectTcp({ host, port }, onConnect);
      socket.setKeepAlive(true, 10_000);
      // A small request must not wait for the acknowledgement of the one before.
      socket.setNoDelay(true);
      open.add(socket);
      socket.once('close', () => {
        closedBytes += socket.bytesWritten;
        open.delete(socket);
      });
      return socket;
    },
    bytesWritten: () => [...open].reduce((sum, socket) => sum + socket.bytesWritten, closedBytes),
    destroy: () => {
      // With an error: kafkajs hears of nothing else, and would wait for its time-outs.
      for (const socket of open) socket.destroy(new Error('this connection is no longer needed'));
    },
  };
};

export const kafkaClient = (settings: KafkaSettings, sockets: Sockets): Kafka =>
  new Kafka({
    clientId,
    brokers: settings.brokers,
    ...(settings.ssl !== undefined && { ssl: settings.ssl }),
    ...(settings.sasl !== undefined && { sasl: settings.sasl }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // Short: the callers retry with knowledge of what they were doing.
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
    socketFactory: sockets.factory,
    logLevel: logLevel.NOTHING,
    logCreator: () => () => {},
  });
