import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLogger, systemClock } from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
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
/** On a connection of its own, so that any of the gates may answer. */
const fetchOnce = (
  port: number,
  sent: OutgoingHttpHeaders,
): Promise<{ status: number; headers: IncomingHttpHeaders }> =>
  new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: '/read', headers: sent, agent: new Agent() }, (response) => {
      const { statusCode: status = 0, headers } = response;
      response.resume().once('end', () => resolve({ status, headers }));
    })
      .once('error', reject)
      .end();
  });
/** Which gate answers: its decisions begin alike. */
const whoAnswers = async (port: number): Promise<string> =>
  String((await fetchOnce(port, headers)).headers['postern-decision']).split('-')[0] ?? '';

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

test('of gates that share an address a proof counts at one of them and once, and a nonce of one counts at all', async () => {
  await using upstream = await recordingUpstream();
  await using folder = await mkdtempDisposable(join(tmpdir(), 'postern-workers-'));
  const issuer = await generateKeyPair('ES256');
  const holder = await generateKeyPair('ES256');
  const jwk = await exportJWK(holder.publicKey);
  const jwks = join(folder.path, 'jwks.json');
  await writeFile(
    jwks,
    JSON.stringify({ keys: [{ ...(await exportJWK(issuer.publicKey)), kid: 'one', alg: 'ES256' }] }),
  );
  const token = await new SignJWT({ cnf: { jkt: await calculateJwkThumbprint(jwk) } })
    .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'at+jwt' })
    .setIssuer('https://idp.test')
    .setAudience('api')
    .setSubject('ann')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(issuer.privateKey);
  const port = await freePort();
  const prove = (jti: string, nonce?: string): Promise<string> =>
    new SignJWT({
      jti,
      htm: 'GET',
      htu: `http://127.0.0.1:${port}/read`,
      ath: hash('sha256', token, 'base64url'),
      ...(nonce !== undefined && { nonce }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(holder.privateKey);
  const gates = workers(
    {
      command: fileURLToPath(new URL('../trial/gate-process.ts', import.meta.url)),
      args: [String(port), upstream.url, `file:${jwks}`],
      log: silentLogger,
      telemetry: await openTelemetry({ service: 'trial' }),
      clock: systemClock,
    },
    2,
  );
  await gates.start();
  await until(() => gates.notReady().length === 0);
  const send = async (proof: string) => {
    const { status, headers } = await fetchOnce(port, { authorization: `DPoP ${token}`, dpop: proof });
    return { status, nonce: headers['dpop-nonce'], gate: String(headers['postern-decision']).split('-')[0] ?? '' };
  };
  const { nonce } = await send(await prove('first'));
  assert.equal(typeof nonce, 'string');
  const accepted = new Set<string>();
  for (let count = 0; accepted.size < 2; count++) {
    const { status, gate } = await send(await prove(`good-${count}`, String(nonce)));
    assert.notEqual(status, 401, `proof ${count}`);
    accepted.add(gate);
  }
  const proof = await prove('again', String(nonce));
  const seen = new Map<string, number[]>();
  while (seen.size < 2 || [...seen.values()].flat().length < 12) {
    const { status, gate } = await send(proof);
    seen.set(gate, [...(seen.get(gate) ?? []), status]);
  }
  assert.equal([...seen.values()].flat().filter((status) => status !== 401).length, 1);
  await gates.stop();
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
