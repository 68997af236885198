/** Any answer that our reader takes, node's own client takes too, and for the same: status, headers, content, trailers. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { http1Pool } from './pool.ts';

type Read = {
  readonly status: number;
  readonly headers: readonly string[];
  readonly content: string;
  readonly trailers: readonly string[];
};

let answer: Buffer[] = [];
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.setNoDelay(true);
  socket.once('data', async () => {
    for (const piece of answer) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
  });
});
before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
after(() => server.close());
const port = (): number => (server.address() as AddressInfo).port;

const byUs = (method: string): Promise<Read | string> =>
  new Promise((resolve) => {
    const pool = http1Pool(`http://127.0.0.1:${port()}`, 2_000);
    let read = { status: 0, headers: [] as readonly string[] };
    const content: Buffer[] = [];
    const done = (result: Read | string): void => {
      pool.destroy();
      resolve(result);
    };
    pool.dispatch(
      { method, path: '/', headers: ['Host', 'api'], body: null },
      {
        sent: () => {},
        head: (status, _message, headers) => {
          read = { status, headers };
        },
        data: (piece) => void content.push(Buffer.from(piece)),
        ended: (trailers) => done({ ...read, content: Buffer.concat(content).toString('latin1'), trailers }),
        failed: (error) => done(error.message),
      },
    );
  });

const byNode = (method: string): Promise<Read | string> =>
  new Promise((resolve) => {
    const asked = request({ port: port(), host: '127.0.0.1', method, agent: false }, (res) => {
      const content: Buffer[] = [];
      res.on('data', (piece: Buffer) => content.push(piece));
      res.on('error', (error) => resolve(error.message));
      res.on('end', () =>
        resolve({
          status: res.statusCode ?? 0,
          headers: res.rawHeaders,
          content: Buffer.concat(content).toString('latin1'),
          trailers: res.rawTrailers,
        }),
      );
    });
    asked.on('error', (error) => resolve(error.message));
    asked.end();
  });

const line = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('A: b', 'a:b ', 'Set-Cookie: x=y; Path=/', 'X:', 'Date: Tue', 'B:\tc') },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'Content-Length: 5',
      'content-length: 0',
      'Transfer-Encoding: chunked',
      'Connection: close',
      'Connection: keep-alive',
      'Content-Length: 5, 5',
      'Transfer-Encoding: chunked, chunked',
      'Transfer-Encoding: xchunked',
      'Content-Length: 05',
      'Content-Length: 5 5',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ' folded',
      'A : b',
      ':',
      'nothing',
      'A: b\rc',
      'A: \x01',
      'A\x00: b',
      'A: b\nC: d',
      'Ä: b',
      'A: \xff',
    ),
  },
);
const bodies = fc.constantFrom(
  'hello',
  '',
  'hello world',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n',
  '5\r\nhello\r\n0\r\n',
  '5\r\nhello!\r\n0\r\n\r\n',
  '5\nhello\n0\n\n',
  'z\r\n',
  '05\r\nhello\r\n00\r\n\r\n',
);
const first = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'HTTP/1.1 200 OK',
      'HTTP/1.1 204 No Content',
      'HTTP/1.0 200 OK',
      'HTTP/1.1 304 Not Modified',
      'HTTP/1.1 404',
      'HTTP/1.1 500 ',
      'HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'HTTP/1.1 20 OK',
      'HTTP/1.2 200 OK',
      'HTTP/1.1\t200 OK',
      'HTTP/1.1 099 x',
      ' HTTP/1.1 200 OK',
    ),
  },
);

test('whatever an API sends, wherever it is cut: we take it as node does, or not at all', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      first,
      fc.array(line, { maxLength: 4 }),
      bodies,
      fc.constantFrom('GET', 'HEAD'),
      fc.array(fc.nat({ max: 200 }), { maxLength: 4 }),
      async (start, lines, body, method, cuts) => {
        // What follows an answer without a body is looked at in connection.int.test.ts.
        const sent = method === 'HEAD' || / (?:204|304) /.test(start) ? '' : body;
        const octets = Buffer.from(`${[start, ...lines].join('\r\n')}\r\n\r\n${sent}`, 'latin1');
        const places = [...new Set(cuts.map((cut) => cut % (octets.length + 1)))].sort((a, b) => a - b);
        answer = [0, ...places].map((from, index) => octets.subarray(from, places[index] ?? octets.length));
        const ours = await byUs(method);
        if (typeof ours === 'string') return;
        taken++;
        const theirs = await byNode(method);
        // Node may have read what comes behind the answer along with its end; connection.int.test.ts looks at that.
        if (typeof theirs === 'string' && theirs.includes('Expected HTTP/')) return;
        assert.deepEqual(ours, theirs);
      },
    ),
    { numRuns: 600 },
  );
  assert.ok(taken > 60, `${taken} answers were taken`);
});
