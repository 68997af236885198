/** Requests as octets, because clients are too polite to send what attackers send. */
import { connect } from 'node:net';

export type RawAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** Sends the text and reads one response; status 0 where the connection closes without one. */
export const sendRaw = (port: number, text: string, host = '127.0.0.1'): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(Buffer.from(text, 'latin1')));
    let received = '';
    const finish = (): void => {
      socket.destroy();
      resolve(parse(received) ?? { status: 0, headers: {}, body: '' });
    };
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const answer = parse(received);
      if (answer !== undefined && answer.status !== 100 && complete(answer)) finish();
    });
    socket.on('end', finish);
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? finish() : reject(error),
    );
  });

const parse = (text: string): RawAnswer | undefined => {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { status: Number(first.split(' ')[1]), headers, body: text.slice(end + 4) };
};

const complete = ({ status, headers, body }: RawAnswer): boolean => {
  if (status === 101 || status === 204 || status === 304) return true;
  if (headers['transfer-encoding'] === 'chunked') return body.endsWith('0\r\n\r\n');
  return body.length >= Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
};
