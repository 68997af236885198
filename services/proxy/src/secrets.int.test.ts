/** What callers must keep to themselves is kept by the gate: not in its log, not in the record, not at the API, not in an answer. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { Issuer } from '@postern/schemas';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { pino } from 'pino';
import { granted, joined, keyed, role, routes } from './trial/facts.ts';
import { startTrial } from './trial/gate.ts';

const key = `psk_${'s3cr3t'.repeat(7)}x`;
const facts = [
  routes('site', '/', { id: 'site/user', method: 'GET', template: '/users/{id}' }),
  role('user-reader', { endpoint: 'site/user' }),
  joined('user:ann'),
  granted('user:ann', 'user-reader').issued,
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'user-reader').issued,
];

test('no key, token, proof or query is written down, sent on or said back, however the request ends', async () => {
  const lines: string[] = [];
  const log = pino(
    { level: 'trace' },
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString());
        done();
      },
    }),
  );
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const holder = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(holder.publicKey);
  const url = 'https://idp.example.com';
  await using events = await openEventLog('memory:');
  await using gate = await startTrial(events, facts, {
    service: 'site',
    config: { issuers: [Issuer.parse({ issuer: url, audience: ['api'], jwks: 'file:unused' })] },
    deps: {
      log,
      readIssuerDocument: async () => ({ keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256' }] }),
    },
  });
  const sign = (claims: object, exp = '5m') =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: '1', typ: 'at+jwt' })
      .setIssuer(url)
      .setAudience('api')
      .setSubject('ann')
      .setIssuedAt()
      .setExpirationTime(exp)
      .sign(privateKey);
  const free = await sign({});
  const bound = await sign({ cnf: { jkt: await calculateJwkThumbprint(jwk) } });
  const ended = await sign({}, '-5m');
  const prove = (htu: string) =>
    new SignJWT({ jti: Math.random().toString(36), htm: 'GET', htu, ath: hash('sha256', bound, 'base64url') })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(holder.privateKey);
  const [proof, strayed] = [await prove(`${gate.url}/users/1`), await prove(`${gate.url}/users/2`)];
  const unknown = `psk_${'unkn0wn'.repeat(6)}y`;
  const requests: [Record<string, string>, number][] = [
    [{ 'x-api-key': key }, 200],
    [{ authorization: `Bearer ${key}` }, 200],
    [{ authorization: `Bearer ${free}` }, 200],
    [{ authorization: `DPoP ${bound}`, dpop: proof }, 200],
    [{ authorization: `DPoP ${bound}`, dpop: proof }, 401],
    [{ authorization: `DPoP ${bound}`, dpop: strayed }, 401],
    [{ authorization: `Bearer ${bound}` }, 401],
    [{ authorization: `Bearer ${ended}` }, 401],
    [{ 'x-api-key': unknown }, 401],
    [{ 'x-api-key': unknown, authorization: `Bearer ${free}` }, 400],
    [{ authorization: `Basic ${btoa(`ann:${key}`)}` }, 401],
  ];
  const answers: string[] = [];
  const challenges: (string | null)[] = [];
  for (const [headers, status] of requests) {
    const answer = await gate.get(`/users/1?token=${encodeURIComponent('qu3ry-s3cr3t')}`, headers);
    answers.push(await answer.text(), JSON.stringify([...answer.headers]));
    challenges.push(answer.headers.get('www-authenticate'));
    assert.equal(answer.status, status, JSON.stringify(headers));
  }
  assert.match(String(challenges[4]), /^DPoP error="invalid_dpop_proof", algs="/);
  assert.match(String(challenges[6]), /^Bearer error="invalid_token", DPoP algs="/);
  const recorded = JSON.stringify(await gate.decisions(requests.length));
  const seen = JSON.stringify(gate.upstream.seen.map(({ headers, names, body }) => ({ headers, names, body })));
  const secrets = [key, unknown, free, bound, ended, proof, strayed].flatMap((secret) => [
    secret,
    // The part by which it counts.
    secret.split('.').at(-1) ?? secret,
    btoa(`ann:${secret}`),
    hash('sha256', secret, 'base64url'),
    hash('sha256', secret, 'hex'),
  ]);
  for (const [place, text] of Object.entries({
    log: lines.join(''),
    record: recorded,
    API: seen,
    answers: answers.join(''),
  }))
    for (const secret of secrets) assert.ok(!text.includes(secret), `the ${place} holds ${secret.slice(0, 12)}…`);
  for (const text of [lines.join(''), recorded]) assert.ok(!text.includes('qu3ry'));
  assert.ok(recorded.includes('credential:k1'), 'the record says which key it was, not what it is');
});
