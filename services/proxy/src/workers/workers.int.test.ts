import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLogger, systemClock } from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { until } from '../trial/gate.ts';
import { constantLoad } from '../trial/load.ts';
import { recordingUpstream } from '../trial/upstream.ts';
import { workers } from './workers.ts';

const headers = { 'x-api-key': 'psk_ann' };
const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};
/** Which gate answers on a connection of its own: its decisions begin alike. */
const whoAnswers = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const agent = new Agent();
    request({ port, host: '127.0.0.1', path: '/read', headers, agent }, (response) => {
      response.resume().once('end', () => resolve(String(response.headers['postern-decision']).split('-')[0] ?? ''));
    })
      .once('error', reject)
      .end();
  });

test('several gates share one address; one that is killed is started again, and all are measured together', async () => {
  await using upstream = await recordingUpstream();
  const telemetry = await openTelemetry({ service: 'trial' });
  const port = await freePort();
  const gates = workers(
    {
      command: fileURLToPath(new URL('../trial/gate-process.ts', import.meta.url)),
      args: [String(port), upstream.url],
      log: silentLogger,
      telemetry,
      clock: systemClock,
    },
    2,
  );
  await gates.start();
  await until(() => gates.notReady().length === 0);
  const seen = new Set<string>();
  while (seen.size < 2) seen.add(await whoAnswers(port));
  const text = async () => (await telemetry.metrics.exposition((await gates.snapshots?.()) ?? [])).text;
  await until(async () => {
    const told = await text();
    return [1, 2].every((worker) => new RegExp(`postern_proxy_requests_total{.*worker="${worker}".*} \\d`).test(told));
  });
  assert.match(await text(), /^postern_proxy_workers 2$/m);
  assert.deepEqual(
    gates.targets?.().map((each) => [each.target, each.standing]),
    [
      [upstream.url, 'in'],
      [upstream.url, 'in'],
    ],
  );
  // One of them dies without a word.
  const pids = gates.pids();
  process.kill(pids[0] ?? 0, 'SIGKILL');
  await until(() => ![undefined, pids[0]].includes(gates.pids()[0]));
  assert.deepEqual(gates.notReady(), []);
  while (seen.size < 3) seen.add(await whoAnswers(port).catch(() => [...seen][0] ?? ''));
  assert.match(await text(), /^postern_proxy_worker_restarts_total 1$/m);
  const load = constantLoad(`http://127.0.0.1:${port}`, headers, { callers: 4 });
  await until(() => load.answered() > 50);
  assert.deepEqual(await load.stop(), []);
  await gates.stop();
  assert.deepEqual(gates.notReady(), ['stopping']);
});

test('a process that gets SIGTERM under load while another listens on its port loses no request', async () => {
  await using upstream = await recordingUpstream();
  upstream.respond = (_req, res) => void setTimeout(() => res.end('the API answers'), Math.random() * 20);
  const port = await freePort();
  const open = async () => {
    const gates = workers(
      {
        command: fileURLToPath(new URL('../trial/gate-process.ts', import.meta.url)),
        args: [String(port), upstream.url],
        log: silentLogger,
        telemetry: await openTelemetry({ service: 'trial' }),
        clock: systemClock,
      },
      1,
    );
    await gates.start();
    await until(() => gates.notReady().length === 0);
    return gates;
  };
  const old = await open();
  const load = constantLoad(`http://127.0.0.1:${port}`, headers);
  await until(() => load.answered() > 50);
  const next = await open();
  // Its stop is a SIGTERM to the process, and the wait for its end.
  await old.stop();
  const before = load.answered();
  await until(() => load.answered() > before + 50);
  assert.deepEqual(await load.stop(), []);
  await next.stop();
});

test('gates that cannot even start say so to whoever started them', async () => {
  const telemetry = await openTelemetry({ service: 'trial' });
  const gates = workers(
    {
      command: fileURLToPath(new URL('./no-such-program.ts', import.meta.url)),
      args: [],
      log: silentLogger,
      telemetry,
      clock: systemClock,
    },
    1,
  );
  await assert.rejects(gates.start(), /gate 1 ended as it started/);
  await gates.stop();
});
