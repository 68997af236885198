/** What everybody in the bench forwards to: the smallest useful API. */
import { createServer } from 'node:http';

const body = JSON.stringify({ id: '42', name: 'Ada Byron' });
const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
createServer((_request, response) => response.writeHead(200, headers).end(body)).listen(
  Number(process.argv[2]),
  '127.0.0.1',
  () => process.stdout.write('ready\n'),
);
process.on('SIGTERM', () => process.exit(0));
