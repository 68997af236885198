/** A proxy that decides nothing, by http-proxy-3 alone. */
import { createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';

const [port, upstream] = process.argv.slice(2);
const proxy = createProxyServer({ target: `http://127.0.0.1:${upstream}`, xfwd: true });
createServer((request, response) => void proxy.web(request, response)).listen(Number(port), '127.0.0.1', () =>
  process.stdout.write('ready\n'),
);
process.on('SIGTERM', () => process.exit(0));
