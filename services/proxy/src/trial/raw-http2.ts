/** HTTP/2 as octets, because clients are too polite to send what attackers send. */
import { connect, type TLSSocket } from 'node:tls';

export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
const names = new Map<number, string>(Object.entries(frameTypes).map(([name, type]) => [type, name]));
export const endStream = 1;
export const endHeaders = 4;

export const frame = (
  type: keyof typeof frameTypes,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = frameTypes[type];
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

/** HPACK (RFC 7541 §6.2.2): a literal without indexing, its name and value as they are, nothing compressed. */
export const fields = (...pairs: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
const text = (value: string): Buffer => {
  const octets = Buffer.from(value, 'latin1');
  if (octets.length < 127) return Buffer.concat([Buffer.from([octets.length]), octets]);
  const length = [127];
  let rest = octets.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), octets]);
};

export type RawFrame = {
  readonly type: string;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
};
export type RawHttp2 = Disposable & {
  readonly send: (...frames: Buffer[]) => Promise<void>;
  readonly received: readonly RawFrame[];
  /** Resolves with the first frame that fits, or undefined when the connection ends without one. */
  readonly wait: (fits: (frame: RawFrame) => boolean) => Promise<RawFrame | undefined>;
  readonly ended: Promise<void>;
  readonly isOpen: () => boolean;
  /** Reads nothing any more. */
  readonly deafen: () => void;
};

export const openRawHttp2 = async (port: number): Promise<RawHttp2> => {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
  const received: RawFrame[] = [];
  const waiting = new Set<() => void>();
  let open = true;
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3);
      const [type = 0, flags = 0] = [rest[3], rest[4]];
      const stream = rest.readUInt32BE(5) & 0x7fffffff;
      received.push({ type: names.get(type) ?? String(type), flags, stream, payload: rest.subarray(9, 9 + length) });
      if (type === frameTypes.settings && (flags & 1) === 0) socket.write(frame('settings', 1, 0));
      rest = rest.subarray(9 + length);
    }
    for (const wake of waiting) wake();
  });
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) =>
    socket.once('close', () => {
      open = false;
      for (const wake of waiting) wake();
      resolve();
    }),
  );
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame('settings', 0, 0)]));
  return {
    received,
    ended,
    isOpen: () => open,
    deafen: () => void socket.pause(),
    send: (...frames) =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve();
        socket.write(Buffer.concat(frames), () => resolve());
      }),
    wait: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = received.find(fits);
          if (found === undefined && open) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    [Symbol.dispose]: () => socket.destroy(),
  };
};
