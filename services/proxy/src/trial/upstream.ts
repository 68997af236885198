/** An API that writes down whatever reaches it, by whatever way. */
import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type Seen = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly names: readonly string[];
  readonly body: string;
  readonly upgrade: boolean;
};
export type Upstream = {
  readonly url: string;
  readonly seen: Seen[];
  /** Answers in place of the plain one. */
  respond: ((req: IncomingMessage, res: ServerResponse, body: string) => void) | undefined;
  onUpgrade: ((req: IncomingMessage, socket: Socket) => void) | undefined;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
} & AsyncDisposable;

export const recordingUpstream = async (): Promise<Upstream> => {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const note = (req: IncomingMessage, body: string, upgrade: boolean): void => {
    const names = req.rawHeaders.filter((_each, index) => index % 2 === 0).map((name) => name.toLowerCase());
    seen.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, names, body, upgrade });
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('error', () => {});
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      note(req, body, false);
      if (upstream.respond) upstream.respond(req, res, body);
      else res.end('the API answers');
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (req, socket: Socket) => {
    note(req, '', true);
    if (upstream.onUpgrade) upstream.onUpgrade(req, socket);
    else acceptWebSocket(req, socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const upstream: Upstream = {
    url: `http://127.0.0.1:${port}`,
    seen,
    respond: undefined,
    onUpgrade: undefined,
    sockets,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return upstream;
};

/** The server's half of RFC 6455's handshake; says hello in one text frame. */
export const acceptWebSocket = (req: IncomingMessage, socket: Socket): void => {
  const accept = hash('sha1', `${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nPostern-Decision: forged\r\n\r\n`,
  );
  socket.write(Buffer.concat([Buffer.from([0x81, 5]), Buffer.from('hello')]));
  socket.on('data', (frame) => {
    if (frame[0] === 0x88) socket.end(Buffer.from([0x88, 2, 1000 >> 8, 1000 & 255]));
  });
};
