/** An API that believes nothing: it reads octets by a parser of its own, strict to the letter, and writes down every request it was sent. */
import { type AddressInfo, createServer, type Socket } from 'node:net';

export type Received = { readonly method: string; readonly target: string; readonly decision: string };
export type OctetUpstream = AsyncDisposable & {
  readonly url: string;
  readonly received: Received[];
  /** Octets that are no request, or one whose end can be read in two ways. */
  readonly nonsense: string[];
};

type Read = { readonly request: Received; readonly rest: string } | 'more' | 'nonsense';

const headLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[\t\x20-\x7e\x80-\xff]*$/;
const read = (text: string): Read => {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return 'more';
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const [, method, target] = /^([A-Z]+) ([!-~\x80-\xff]+) HTTP\/1\.1$/.exec(first) ?? [];
  if (method === undefined || target === undefined || !lines.every((line) => headLine.test(line))) return 'nonsense';
  const all = (name: string): string[] =>
    lines.filter((line) => line.toLowerCase().startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
  const [lengths, codings, decisions, hosts] = ['content-length', 'transfer-encoding', 'postern-decision', 'host'].map(
    all,
  );
  if (hosts?.length !== 1 || decisions?.length !== 1 || (lengths?.length ?? 0) + (codings?.length ?? 0) > 1)
    return 'nonsense';
  const request = { method, target, decision: decisions[0] ?? '' };
  const body = text.slice(end + 4);
  if (lengths?.[0] !== undefined) {
    if (!/^\d+$/.test(lengths[0])) return 'nonsense';
    const size = Number(lengths[0]);
    return body.length < size ? 'more' : { request, rest: body.slice(size) };
  }
  if (codings?.[0] === undefined) return { request, rest: body };
  if (codings[0] !== 'chunked') return 'nonsense';
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at);
    if (lineEnd < 0) return 'more';
    const size = /^[0-9a-fA-F]{1,8}$/.exec(body.slice(at, lineEnd))?.[0];
    if (size === undefined) return 'nonsense';
    if (/^0+$/.test(size)) {
      const rest = behindTrailers(body.slice(lineEnd + 2));
      return typeof rest === 'string' ? rest : { request, rest: rest.rest };
    }
    const next = lineEnd + 2 + Number.parseInt(size, 16);
    if (body.length < next + 2) return 'more';
    if (body.slice(next, next + 2) !== '\r\n') return 'nonsense';
    at = next + 2;
  }
};

/** What says whom a message is for, where it ends or who sent it has no business behind it. */
const steering = /^(?:host|content-length|transfer-encoding|connection|authorization|cookie|x-api-key|postern-[^:]*):/i;

const behindTrailers = (text: string): { readonly rest: string } | 'more' | 'nonsense' => {
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return 'more';
    const line = text.slice(at, end);
    at = end + 2;
    if (line === '') return { rest: text.slice(at) };
    if (!headLine.test(line) || steering.test(line)) return 'nonsense';
  }
};

export const octetUpstream = async (): Promise<OctetUpstream> => {
  const received: Received[] = [];
  const nonsense: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let text = '';
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      while (text !== '') {
        const found = read(text);
        if (found === 'more') return;
        if (found === 'nonsense') {
          nonsense.push(text);
          return void socket.destroy();
        }
        text = found.rest;
        received.push(found.request);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${found.request.method === 'HEAD' ? '0' : '2\r\n\r\nok'}`);
        if (found.request.method === 'HEAD') socket.write('\r\n\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    nonsense,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
