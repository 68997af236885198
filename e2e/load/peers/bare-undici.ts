/** A proxy that decides nothing: node:http in, undici out. The mark to measure against. */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [port, upstream] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${upstream}`, { pipelining: 1 });
createServer((request, response) => {
  const { connection: _, ...headers } = request.headers;
  pool.dispatch(
    {
      method: (request.method ?? 'GET') as 'GET',
      path: request.url ?? '/',
      headers,
      body: request.method === 'GET' ? null : request,
    },
    {
      onRequestStart: () => {},
      onResponseStart: (_controller, status, headers) => void response.writeHead(status, headers as never),
      onResponseData: (controller, chunk) => {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => controller.resume());
      },
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    },
  );
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
process.on('SIGTERM', () => process.exit(0));
