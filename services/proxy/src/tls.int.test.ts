/** The gate behind TLS: its own certificate exchanged under way, and clients' certificates as credentials. */
import assert from 'node:assert/strict';
import { hash, X509Certificate } from 'node:crypto';
import { connect as connectTcp } from 'node:http2';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { openEventLog } from '@postern/event-log/open';
import { readTlsFiles, reloading, silentLogger, tlsFiles as watchedFiles } from '@postern/runtime';
import { encodeId, Issuer, isProblem } from '@postern/schemas';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { certificateAuthority, type Signed } from './trial/certificates.ts';
import { granted, joined, keyed, role, routes } from './trial/facts.ts';
import { until } from './trial/gate.ts';
import { ask, askHttps, openHttp2, serverNames, startTlsTrial, type TlsFiles, tlsFiles } from './trial/tls-gate.ts';

const key = 'psk_ann';
const workload = `workload:${encodeId('spiffe://example.org/ns/prod/sa/api')}`;
const facts = [
  routes('site', '/', { id: 'site/user', method: 'GET', template: '/users/{id}' }),
  role('user-reader', { endpoint: 'site/user' }),
  ...['user:ann', workload, 'workload:ci'].flatMap((who) => [joined(who), granted(who, 'user-reader').issued]),
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'user-reader').issued,
];
const options = { service: 'site' };
const auth = { 'x-api-key': key };

const serialOf = (port: number, authority: string): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername: 'gate.test', ca: authority }, () => {
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      resolve(serialNumber);
    });
    socket.once('error', reject);
  });

test('a new certificate is taken in when its files change; open connections and their streams go on', async () => {
  await using log = await openEventLog('memory:');
  using files = await tlsFiles();
  await using gate = await startTlsTrial(log, facts, files, options);
  const authority = files.authority.certificate;
  const session = await openHttp2(gate, { authority });
  let finish: (() => void) | undefined;
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200).write('begun ');
    finish = () => res.end('ended');
  };
  const open = ask(session, { ':path': '/users/1', ...auth });
  await until(() => finish !== undefined);
  const before = await serialOf(gate.port, authority);

  const file = join(files.folder, 'postern.yaml');
  const reload = reloading({
    file,
    log: silentLogger,
    beside: watchedFiles,
    onReload: async (fresh) => {
      const material = await readTlsFiles(fresh, Date.now());
      if (material !== undefined) gate.proxy.configureTls(material);
    },
  });
  await reload.start();
  const next = await files.authority.sign({ subject: 'CN=gate', names: serverNames, usage: 'server' });
  // In two steps, as they are often written: between them key and certificate do not belong together.
  files.write('tls.crt', next.certificate);
  files.write('tls.key', next.key);
  await until(async () => (await serialOf(gate.port, authority)) !== before);
  assert.equal(await serialOf(gate.port, authority), new X509Certificate(next.certificate).serialNumber);

  files.write('tls.key', 'no key');
  const other = await certificateAuthority('CN=other');
  files.write('tls.crt', (await other.sign()).certificate);
  process.kill(process.pid, 'SIGHUP');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(
    await serialOf(gate.port, authority),
    new X509Certificate(next.certificate).serialNumber,
    'broken files keep the old',
  );

  finish?.();
  assert.deepEqual([(await open).status, (await open).body], [200, 'begun ended']);
  await reload.stop();
  session.destroy();
});

test('TLS below 1.2, and protocols that are not HTTP, are no connection here', async () => {
  await using log = await openEventLog('memory:');
  using files = await tlsFiles();
  await using gate = await startTlsTrial(log, facts, files, options);
  const begins = (more: object): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ port: gate.port, host: '127.0.0.1', rejectUnauthorized: false, ...more }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  assert.equal(await begins({}), true);
  assert.equal(await begins({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }), false);
  assert.equal(await begins({ ALPNProtocols: ['spdy/3'] }), false);
});

test('files that cannot be used are named before anything listens', async () => {
  using files = await tlsFiles();
  const { authority, write, read } = files;
  const day = 86_400_000;
  const [good, other, old, early] = await Promise.all([
    authority.sign({ usage: 'server' }),
    authority.sign({ usage: 'server' }),
    authority.sign({ usage: 'server', notAfter: new Date(Date.now() - 1_000) }),
    authority.sign({
      usage: 'server',
      notBefore: new Date(Date.now() + day),
      notAfter: new Date(Date.now() + 2 * day),
    }),
  ]);
  const rows: [RegExp, string, string, object?][] = [
    [/tls\.key is not the key/, good.certificate, other.key],
    [/tls\.crt has run out/, old.certificate, old.key],
    [/tls\.crt does not count before/, early.certificate, early.key],
    [/tls\.crt holds no certificate/, 'nonsense', good.key],
    [/tls\.key holds no private key/, good.certificate, 'nonsense'],
    [
      /absent\.pem cannot be read/,
      good.certificate,
      good.key,
      { authorities: [{ ca: './absent.pem', names: { 'DNS:a': 'workload:ci' } }] },
    ],
    [
      /leaf\.pem holds a certificate that is no authority/,
      good.certificate,
      good.key,
      { authorities: [{ ca: './leaf.pem', names: { 'DNS:a': 'workload:ci' } }] },
    ],
  ];
  write('leaf.pem', good.certificate);
  for (const [said, certificate, keyText, clients] of rows) {
    write('tls.crt', certificate);
    write('tls.key', keyText);
    await assert.rejects(
      read(clients),
      (error) => isProblem(error, 'runtime/bad-certificate') && said.test(error.message),
      String(said),
    );
  }
  write('tls.crt', good.certificate);
  write('tls.key', good.key);
  assert.equal((await read()).minVersion, 'TLSv1.2');
});

const mutual = async (clients: object = {}, config: object = {}) => {
  const stack = new AsyncDisposableStack();
  const log = stack.use(await openEventLog('memory:'));
  const files: TlsFiles = stack.use(await tlsFiles());
  const [mesh, partner] = [await certificateAuthority('CN=mesh'), await certificateAuthority('CN=partner')];
  files.write('mesh.pem', mesh.certificate);
  files.write('partner.pem', partner.certificate);
  const all = {
    authorities: [
      { ca: './mesh.pem', spiffe: { trustDomain: 'example.org' } },
      { ca: './partner.pem', names: { 'DNS:ci.example.com': 'workload:ci', 'subject:O=Partner,CN=ci': 'workload:ci' } },
    ],
    ...clients,
  };
  const gate = stack.use(await startTlsTrial(log, facts, files, { ...options, clients: all, config }));
  const authority = files.authority.certificate;
  const get = async (shown?: Signed, headers: Record<string, string> = {}) => {
    const answer = await askHttps(gate.port, '/users/1', { authority, headers, ...(shown && { shown }) });
    const [seen] = gate.upstream.seen.splice(0);
    const [, claims = ''] = String(seen?.headers['postern-assertion'] ?? '').split('.');
    const { sub, act } = claims === '' ? {} : JSON.parse(Buffer.from(claims, 'base64url').toString());
    return { status: answer.status, code: answer.status === 200 ? '' : answer.body, sub, act, headers: answer.headers };
  };
  const svid = (uri = 'spiffe://example.org/ns/prod/sa/api', more: object = {}) =>
    mesh.sign({ subject: 'O=SPIRE', names: [{ type: 'url', value: uri }], ...more });
  return { gate, files, mesh, partner, all, get, svid, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};

test('a workload is who its SPIFFE id says, over both versions of HTTP', async () => {
  await using at = await mutual();
  const shown = await at.svid();
  assert.deepEqual(await at.get(shown).then(({ status, sub }) => [status, sub]), [200, workload]);
  const session = await openHttp2(at.gate, { authority: at.files.authority.certificate, shown });
  assert.equal((await ask(session, { ':path': '/users/1' })).status, 200);
  session.destroy();
  assert.equal((await at.get()).status, 401, 'without a certificate nobody calls');
});

test('a certificate that is not exactly its authority’s word about one caller is none', async () => {
  await using at = await mutual();
  const { svid, mesh, partner } = at;
  const stranger = await certificateAuthority('CN=mesh');
  const between = await certificateAuthority('CN=between', partner);
  const url = (value: string) => ({ type: 'url' as const, value });
  const rows: Record<string, Signed> = {
    'of another trust domain': await svid('spiffe://evil.org/ns/prod/sa/api'),
    'of a trust domain in other letters': await svid('spiffe://Example.org/ns/prod/sa/api'),
    'with an empty path': await svid('spiffe://example.org'),
    'with a slash at its end': await svid('spiffe://example.org/ns/prod/sa/api/'),
    'with a dot segment': await svid('spiffe://example.org/ns/x/../prod/sa/api'),
    'with an encoded segment': await svid('spiffe://example.org/ns/prod/sa/%61pi'),
    'with a query': await svid('spiffe://example.org/ns/prod/sa/api?x'),
    'with two ids': await mesh.sign({
      names: [url('spiffe://example.org/a'), url('spiffe://example.org/ns/prod/sa/api')],
    }),
    'with another URI beside it': await mesh.sign({
      names: [url('https://x.example'), url('spiffe://example.org/ns/prod/sa/api')],
    }),
    'with a name that reads like an id': await mesh.sign({
      names: [{ type: 'dns', value: 'x, URI:spiffe://example.org/ns/prod/sa/api' }],
    }),
    'of an authority': await svid('spiffe://example.org/ns/prod/sa/api', { authority: true }),
    'with the id as its common name': await mesh.sign({ subject: 'CN=spiffe://example.org/ns/prod/sa/api' }),
    'of an authority that speaks of other names': await partner.sign({
      names: [url('spiffe://example.org/ns/prod/sa/api')],
    }),
    'below such an authority': await between.sign({ names: [url('spiffe://example.org/ns/prod/sa/api')] }),
    'with a common name that is listed for its whole subject': await partner.sign({ subject: 'CN=ci' }),
    'with a subject in other letters': await partner.sign({ subject: 'CN=CI, O=Partner' }),
    'of an authority of the same name': await stranger.sign({ names: [url('spiffe://example.org/ns/prod/sa/api')] }),
    'run out': await svid(undefined, { notAfter: new Date(Date.now() - 1_000) }),
    'for servers': await svid(undefined, { usage: 'server' }),
  };
  for (const [name, shown] of Object.entries(rows)) {
    const { status, headers } = await at.get(shown);
    assert.equal(status, 401, name);
    assert.equal(headers['www-authenticate'], 'Bearer', name);
  }
  const listed = await partner.sign({ subject: 'CN=x', names: [{ type: 'dns', value: 'ci.example.com' }] });
  assert.deepEqual(await at.get(listed).then(({ status, sub }) => [status, sub]), [200, 'workload:ci']);
});

test('another certificate in the chain does not lend a certificate another authority’s word', async () => {
  await using at = await mutual();
  // Of the mesh by its real signature; beside it a certificate of the mesh's name and key that claims to be signed by the partner.
  const ci = await at.mesh.sign({ names: [{ type: 'dns', value: 'ci.example.com' }] });
  const forged = await certificateAuthority('CN=mesh', { ...at.partner, keys: at.mesh.keys }, at.mesh.keys);
  const { status } = await at.get({ ...ci, certificate: `${ci.certificate}\n${forged.certificate}` });
  assert.notEqual(status, 200);
});

test('where a certificate is required, no connection begins without one', async () => {
  await using at = await mutual({ required: true });
  assert.equal((await at.get()).status, 0);
  const stranger = await certificateAuthority('CN=stranger');
  assert.equal((await at.get(await stranger.sign())).status, 0);
  assert.equal((await at.get(await at.svid())).status, 200);
});

test('who calls, where a key comes with a certificate, is as declared', async () => {
  const seen: Record<string, unknown> = {};
  for (const withCredential of ['refuse', 'credential', 'certificate', 'both']) {
    await using at = await mutual({ withCredential });
    const { status, sub, act } = await at.get(await at.svid(), auth);
    seen[withCredential] = [status, sub, act?.sub];
    // A bad credential is not made good by a certificate.
    assert.equal((await at.get(await at.svid(), { 'x-api-key': 'psk_other' })).status, 401);
  }
  assert.deepEqual(seen, {
    refuse: [400, undefined, undefined],
    credential: [200, 'user:ann', undefined],
    certificate: [200, workload, undefined],
    both: [200, 'user:ann', workload],
  });
});

test('an authority that is trusted no more ends its callers’ streams and requests, on connections that are open too', async () => {
  await using at = await mutual();
  const shown = await at.svid();
  const session = await openHttp2(at.gate, { authority: at.files.authority.certificate, shown });
  at.gate.upstream.respond = (_req, res) => void res.writeHead(200).write('begun');
  const stream = session.request({ ':path': '/users/1' });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('data', resolve));
  const closed = new Promise((resolve) => stream.once('close', resolve));
  at.gate.proxy.configureTls(await at.files.read({ ...at.all, authorities: at.all.authorities.slice(1) }));
  await closed;
  assert.equal((await ask(session, { ':path': '/users/1' })).status, 401);
  session.destroy();
});

test('a revoked certificate calls no more once the list is read, and what was checked against the old list connects anew', async () => {
  await using at = await mutual();
  const [shown, other] = [await at.svid(), await at.svid()];
  const withLists = async (...serials: string[]) => {
    at.files.write('mesh.crl', await at.mesh.revoke(...serials));
    at.files.write('partner.crl', await at.partner.revoke());
    const authorities = at.all.authorities.map((each, index) => ({
      ...each,
      crl: index === 0 ? './mesh.crl' : './partner.crl',
    }));
    at.gate.proxy.configureTls(await at.files.read({ ...at.all, authorities }));
  };
  await withLists();
  const session = await openHttp2(at.gate, { authority: at.files.authority.certificate, shown });
  assert.equal((await ask(session, { ':path': '/users/1' })).status, 200);
  await withLists(shown.serial);
  assert.equal((await ask(session, { ':path': '/users/1' })).status, 401);
  assert.equal((await at.get(shown)).status, 401);
  assert.equal((await at.get(other)).status, 200);
  session.destroy();
});

test('a token that is bound to a certificate counts on a connection of that certificate alone', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const url = 'https://idp.example.com';
  const issuers = [Issuer.parse({ issuer: url, audience: ['api'], jwks: `file:unused` })];
  const stack = new AsyncDisposableStack();
  const log = stack.use(await openEventLog('memory:'));
  const files = stack.use(await tlsFiles());
  const gate = stack.use(
    await startTlsTrial(log, facts, files, {
      ...options,
      // No authority: the certificate is of the client's own making, and proves no more than that it is the same one.
      clients: {},
      config: { issuers },
      deps: {
        readIssuerDocument: async () => ({ keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256' }] }),
      },
    }),
  );
  await using _stack = stack;
  const own = await certificateAuthority('CN=own');
  const [shown, another] = [await own.sign(), await own.sign()];
  const token = await new SignJWT({
    cnf: { 'x5t#S256': hash('sha256', new X509Certificate(shown.certificate).raw, 'base64url') },
  })
    .setProtectedHeader({ alg: 'ES256', kid: '1', typ: 'at+jwt' })
    .setIssuer(url)
    .setAudience('api')
    .setSubject('ann')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
  const statuses = [];
  for (const each of [shown, another, undefined]) {
    const about = { authority: files.authority.certificate, headers: { authorization: `Bearer ${token}` } };
    const { status, headers } = await askHttps(gate.port, '/users/1', { ...about, ...(each && { shown: each }) });
    statuses.push([status, headers['www-authenticate']]);
  }
  assert.deepEqual(statuses, [
    [200, undefined],
    [401, 'Bearer error="invalid_token"'],
    [401, 'Bearer error="invalid_token"'],
  ]);
});

test('HTTP/2 in the clear is spoken where it is configured, by prior knowledge alone', async () => {
  await using log = await openEventLog('memory:');
  using files = await tlsFiles();
  await using gate = await startTlsTrial(log, facts, files, { ...options, config: { h2c: '127.0.0.1:0' } });
  const port = gate.proxy.clearAddress()?.port ?? 0;
  const session = connectTcp(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  assert.equal((await ask(session, { ':path': '/users/1', ...auth })).status, 200);
  assert.equal((await ask(session, { ':path': '/users/1' })).status, 401);
  assert.equal(gate.upstream.seen[0]?.headers['x-forwarded-proto'], 'http');
  session.destroy();
  const { sendRaw } = await import('./trial/raw.ts');
  const { status } = await sendRaw(port, 'GET /users/1 HTTP/1.1\r\nHost: gate.test\r\n\r\n');
  assert.notEqual(status, 200);
});
