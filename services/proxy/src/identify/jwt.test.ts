import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { Issuer, Organisation } from '@postern/schemas';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { handClock } from '../trial/clock.ts';
import { clientCertificates } from './client-certificates.ts';
import { proofChecker } from './dpop.ts';
import { identifier } from './identify.ts';
import type { Identity } from './identity.ts';
import { opaqueIdentifier } from './introspection.ts';
import { keysCooldownMs, keysFreshMs, keysStaleMaxMs } from './issuer-keys.ts';
import { jwtIdentifier } from './jwt.ts';

const url = 'https://idp.example.com';
const jwks = `${url}/jwks.json`;
const pair = async (kid: string, alg = 'ES256') => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } as JWK };
};
type Pair = Awaited<ReturnType<typeof pair>>;
const [first, second, ed, rsa, foreign] = await Promise.all([
  pair('one'),
  pair('two'),
  pair('ed', 'EdDSA'),
  pair('rsa', 'RS256'),
  pair('one'),
]);

/** An issuer whose documents can be changed and withheld. */
const setUp = (issuers: readonly object[] = [{ issuer: url, audience: ['payroll-api'], jwks }]) => {
  const clock = handClock();
  const documents = new Map<string, unknown>([[jwks, { keys: [first.jwk, ed.jwk, rsa.jwk] }]]);
  const reads: string[] = [];
  const read = async (at: string): Promise<unknown> => {
    reads.push(at);
    const document = documents.get(at);
    if (document === undefined) throw new Error('no answer');
    return document;
  };
  const jwt = jwtIdentifier(
    clock,
    issuers.map((each) => Issuer.parse(each)),
    read,
  );
  const seconds = (): number => Math.floor(clock.now() / 1_000);
  const sign = (claims: JWTPayload = {}, by: Pair = first, header: object = {}): Promise<string> => {
    const all = { iss: url, aud: 'payroll-api', sub: 'ann', iat: seconds(), exp: seconds() + 300, ...claims };
    return new SignJWT(JSON.parse(JSON.stringify(all)))
      .setProtectedHeader({ alg: by.alg, kid: by.kid, typ: 'at+jwt', ...header })
      .sign(by.privateKey);
  };
  return { clock, documents, reads, jwt, sign, seconds };
};
const about = { method: 'GET', scheme: 'http', host: 'gate.test', path: '/' };
const kindOf = (identity: Identity): string => (identity.kind === 'caller' ? identity.caller : identity.kind);
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a token of a trusted issuer names its principal, and those who act for it', async () => {
  const { jwt, sign } = setUp();
  assert.equal(kindOf(await jwt.identify(await sign())), 'user:ann');
  assert.equal(kindOf(await jwt.identify(await sign({ sub: 'ann@example.com' }))), 'user:ann=40example=2Ecom');
  for (const by of [ed, rsa]) assert.equal(kindOf(await jwt.identify(await sign({}, by))), 'user:ann');
  const delegated = await jwt.identify(await sign({ act: { sub: 'agent', act: { sub: 'outer' } } }));
  assert.ok(delegated.kind === 'caller');
  assert.deepEqual(delegated.actors, ['user:agent', 'user:outer']);
  assert.deepEqual(delegated.subjects, ['user:ann', 'user:agent', 'user:outer']);
});

test('what is not exactly a token for this gate is refused', async () => {
  const { jwt, sign, seconds, documents } = setUp();
  documents.set(jwks, {
    keys: [first.jwk, ed.jwk, rsa.jwk, { kty: 'oct', kid: 'secret', alg: 'HS256', k: encoded('secret') }],
  });
  const now = seconds();
  const claims = { iss: url, aud: 'payroll-api', sub: 'ann', iat: now, exp: now + 300 };
  const publicPem = await exportSPKI(first.publicKey);
  const hmac = (secret: string, header: object): string => {
    const signed = `${encoded(header)}.${encoded(claims)}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  };
  const good = await sign();
  const [head = '', , signature = ''] = good.split('.');
  const rows: Record<string, string> = {
    'of another issuer': await sign({ iss: 'https://evil.example.com' }),
    'of an issuer that is spelled otherwise': await sign({ iss: `${url}/` }),
    'without an issuer': await sign({ iss: undefined } as never),
    'for another audience': await sign({ aud: 'other-api' }),
    'for no audience': await sign({ aud: undefined } as never),
    'run out': await sign({ exp: now - 31 }),
    'without an end': await sign({ exp: undefined } as never),
    'not valid yet': await sign({ nbf: now + 31 }),
    'issued in the future': await sign({ iat: now + 31 }),
    'without a subject': await sign({ sub: undefined } as never),
    'with an empty subject': await sign({ sub: '' }),
    'with a subject that is no text': await sign({ sub: { a: 1 } } as never),
    'with a subject in another Unicode form': await sign({ sub: 'e\u0301' }),
    'an ID token by type': await sign({}, first, { typ: 'id+jwt' }),
    'a logout token': await sign({}, first, { typ: 'logout+jwt' }),
    'with a critical header nobody knows': `${encoded({ alg: 'ES256', kid: 'one', typ: 'at+jwt', crit: ['x'], x: 1 })}.${good.split('.')[1]}.${signature}`,
    'signed by a stranger with a known key id': await sign({}, foreign),
    'with an unknown key': await sign({}, second),
    unsigned: `${encoded({ alg: 'none', typ: 'at+jwt' })}.${encoded(claims)}.`,
    'unsigned with a signature': `${encoded({ alg: 'none', kid: 'one', typ: 'at+jwt' })}.${encoded(claims)}.${signature}`,
    'with the public key as a secret': hmac(publicPem, { alg: 'HS256', kid: 'one', typ: 'at+jwt' }),
    'with a published secret': hmac('secret', { alg: 'HS256', kid: 'secret', typ: 'at+jwt' }),
    'with other claims under the signature': `${head}.${encoded({ ...claims, sub: 'root' })}.${signature}`,
    'with a key of its own': await sign({}, foreign, { kid: undefined, jwk: foreign.jwk }),
    'with a key from elsewhere': await sign({}, foreign, { jku: 'https://evil.example.com/jwks.json' }),
    'with an act claim that is no object': await sign({ act: 'agent' }),
    'with an act claim that names nobody': await sign({ act: { act: { sub: 'x' } } }),
    'with a chain of actors without end': await sign({
      act: { sub: '1', act: { sub: '2', act: { sub: '3', act: { sub: '4', act: { sub: '5', act: { sub: '6' } } } } } },
    }),
    'in another spelling of its signature': respelled(good),
    'with the alphabet of plain base64': plainBase64(await sign({ jti: '???>>>~~~' })),
    'with padding': `${good}=`,
    'with a member twice in its claims': await raw(
      `{"iss":"${url}","aud":"payroll-api","sub":"ann","sub":"root","exp":${now + 300}}`,
    ),
    'with a member twice in its header': await raw(
      JSON.stringify(claims),
      '{"alg":"ES256","kid":"one","kid":"one","typ":"at+jwt"}',
    ),
    'whose claims are a list': await raw('[1]'),
    'with an end that no clock reaches': await raw(
      JSON.stringify({ ...claims, exp: 0 }).replace('"exp":0', '"exp":1e300'),
    ),
    'with an end that is a text': await sign({ exp: String(now + 300) } as never),
    'with a payload that is not encoded': await sign({}, first, { b64: false, crit: ['b64'] }).catch(() => 'unsigned'),
    'with certificates of its own': await sign({}, foreign, {
      kid: undefined,
      x5c: ['AA=='],
      x5u: 'https://evil.example.com',
    }),
    encrypted: 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA',
    text: 'abc',
    'three parts of nothing': '..',
    'longer than any token': 'a'.repeat(20_000),
  };
  for (const [name, token] of Object.entries(rows)) assert.equal((await jwt.identify(token)).kind, 'bad', name);
  assert.equal((await jwt.identify(good)).kind, 'caller');
});

/** The same octets under the signature, spelled with other spare bits. */
const respelled = (token: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.at(-1) ?? '');
  return `${token.slice(0, -1)}${alphabet[last ^ 1]}`;
};
const plainBase64 = (token: string): string => {
  const [head = '', ...rest] = token.split('.');
  const other = rest.map((part) => part.replaceAll('-', '+').replaceAll('_', '/'));
  assert.notDeepEqual(other, rest, 'it holds a character that differs');
  return [head, ...other].join('.');
};
/** Signed as it stands, whatever it says. */
const raw = async (claims: string, header = '{"alg":"ES256","kid":"one","typ":"at+jwt"}'): Promise<string> => {
  const signed = `${Buffer.from(header).toString('base64url')}.${Buffer.from(claims).toString('base64url')}`;
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    first.privateKey as never,
    Buffer.from(signed),
  );
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
};

test('a token that is signed as it stands passes, so that the rows above fail for what they name', async () => {
  const { jwt, seconds } = setUp();
  const claims = { iss: url, aud: 'payroll-api', sub: 'ann', exp: seconds() + 300 };
  assert.equal((await jwt.identify(await raw(JSON.stringify(claims)))).kind, 'caller');
});

test('every algorithm of the list verifies, each only where its issuer pins it', async () => {
  const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
  const keys = await Promise.all(algorithms.map((alg) => pair(alg, alg)));
  for (const key of keys) {
    const pinned = setUp([{ issuer: url, audience: ['payroll-api'], jwks, algorithms: [key.alg] }]);
    pinned.documents.set(jwks, { keys: keys.map(({ jwk }) => jwk) });
    for (const other of keys) {
      const { kind } = await pinned.jwt.identify(await pinned.sign({}, other));
      assert.equal(kind, other === key ? 'caller' : 'bad', `${other.alg} where ${key.alg} is pinned`);
    }
  }
});

test('clocks may differ by the stated skew and no more', async () => {
  const { jwt, sign, seconds, clock } = setUp();
  assert.equal((await jwt.identify(await sign({ exp: seconds() - 29 }))).kind, 'caller');
  assert.equal((await jwt.identify(await sign({ nbf: seconds() + 30, iat: seconds() + 30 }))).kind, 'caller');
  const token = await sign({ exp: seconds() + 10 });
  assert.equal((await jwt.identify(token)).kind, 'caller');
  clock.advance(39_999);
  assert.equal((await jwt.identify(token)).kind, 'caller');
  clock.advance(2);
  assert.equal((await jwt.identify(token)).kind, 'bad');
});

test('a key id only looks a key up in the set of its issuer', async () => {
  for (const kid of ['../../one', 'one ', 'ONE', '__proto__', 'https://evil.example.com/jwks.json#one']) {
    const { jwt, sign } = setUp();
    assert.equal((await jwt.identify(await sign({}, foreign, { kid }))).kind, 'bad', kid);
  }
});

test('an issuer pins its algorithms', async () => {
  const { jwt, sign } = setUp([{ issuer: url, audience: ['payroll-api'], jwks, algorithms: ['EdDSA'] }]);
  assert.equal((await jwt.identify(await sign())).kind, 'bad');
  assert.equal((await jwt.identify(await sign({}, ed))).kind, 'caller');
});

test('a token without a type passes only where the issuer says so', async () => {
  const strict = setUp([{ issuer: url, audience: ['payroll-api'], jwks, typ: ['at+jwt'] }]);
  assert.equal((await strict.jwt.identify(await strict.sign({}, first, { typ: undefined }))).kind, 'bad');
  assert.equal((await strict.jwt.identify(await strict.sign({}, first, { typ: 'application/AT+JWT' }))).kind, 'caller');
  const lenient = setUp();
  assert.equal((await lenient.jwt.identify(await lenient.sign({}, first, { typ: undefined }))).kind, 'caller');
});

test('the second look at a token is answered at once, and never for another issuer or configuration', async () => {
  const other = 'https://other.example.com';
  const { jwt, sign, documents, reads } = setUp([
    { issuer: url, audience: ['payroll-api'], jwks },
    { issuer: other, audience: ['payroll-api'], jwks: `${other}/jwks` },
  ]);
  documents.set(`${other}/jwks`, { keys: [second.jwk] });
  const token = await sign();
  // The first look read the keys, so the second one still verifies.
  await jwt.identify(token);
  await jwt.identify(token);
  assert.ok(!(jwt.identify(token) instanceof Promise), 'a verified token needs no promise');
  assert.equal(reads.length, 1);
  // The same keys, but a token that says it is of the other issuer.
  assert.equal((await jwt.identify(await sign({ iss: other }))).kind, 'bad');
  // The issuer is trusted no more, or for another audience: what was verified before counts no more.
  jwt.configure([Issuer.parse({ issuer: url, audience: ['other-api'], jwks })]);
  assert.equal((await jwt.identify(token)).kind, 'bad');
  jwt.configure([]);
  assert.equal((await jwt.identify(token)).kind, 'bad');
});

test('a rotated key is found, forged key ids do not make the gate hammer the issuer, and a withdrawn key ends what it signed', async () => {
  const { jwt, sign, documents, reads, clock } = setUp();
  const old = await sign({ exp: Math.floor(clock.now() / 1_000) + 3_600 });
  assert.equal((await jwt.identify(old)).kind, 'caller');
  documents.set(jwks, { keys: [first.jwk, second.jwk] });
  const fresh = await sign({}, second);
  assert.equal((await jwt.identify(fresh)).kind, 'caller');
  assert.equal(reads.length, 2);
  for (let count = 0; count < 20; count++)
    await jwt.identify(await sign({ jti: String(count) }, { ...foreign, kid: `forged-${count}` }));
  assert.equal(reads.length, 3);
  documents.set(jwks, { keys: [second.jwk] });
  clock.advance(keysFreshMs);
  // Nobody but the holder of the old token calls, and the keys are read anew all the same.
  await jwt.identify(old);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await jwt.identify(old)).kind, 'bad', 'its key was withdrawn');
});

test('keys outlive an outage of the issuer for the stated time, and no longer', async () => {
  const { jwt, sign, documents, clock } = setUp();
  assert.equal((await jwt.identify(await sign())).kind, 'caller');
  documents.clear();
  clock.advance(keysStaleMaxMs - 1_000);
  assert.equal((await jwt.identify(await sign())).kind, 'caller');
  clock.advance(2_000);
  assert.equal((await jwt.identify(await sign())).kind, 'undecidable');
  documents.set(jwks, { keys: [first.jwk] });
  clock.advance(keysCooldownMs);
  assert.equal((await jwt.identify(await sign())).kind, 'caller');
});

test('an issuer that has never answered makes the request undecidable, not the credential bad', async () => {
  const { jwt, sign, documents, clock, reads } = setUp();
  documents.clear();
  const token = await sign();
  assert.equal((await jwt.identify(token)).kind, 'undecidable');
  assert.equal((await jwt.identify(token)).kind, 'undecidable');
  assert.equal(reads.length, 1, 'the cooldown holds here too');
  documents.set(jwks, { keys: [first.jwk] });
  clock.advance(keysCooldownMs);
  assert.equal((await jwt.identify(token)).kind, 'caller');
});

test('keys are found by discovery, whose document must be of the issuer itself', async () => {
  const { jwt, sign, documents, clock } = setUp([{ issuer: url, audience: ['payroll-api'] }]);
  documents.set(`${url}/.well-known/openid-configuration`, { issuer: 'https://evil.example.com', jwks_uri: jwks });
  assert.equal((await jwt.identify(await sign())).kind, 'undecidable');
  documents.set(`${url}/.well-known/openid-configuration`, { issuer: url, jwks_uri: jwks });
  clock.advance(keysCooldownMs);
  assert.equal((await jwt.identify(await sign())).kind, 'caller');
});

test('a session that was revoked ends the tokens issued before, for the principal and for whoever acts', async () => {
  const { jwt, sign, clock, seconds } = setUp();
  const organisation = new Organisation();
  const identify = identifier({
    organisation,
    clock,
    jwt,
    opaque: opaqueIdentifier(clock, []),
    proofs: proofChecker(clock),
    certificates: clientCertificates(clock),
  });
  const of = async (claims: JWTPayload) =>
    kindOf(await identify({ ...about, authorization: `Bearer ${await sign(claims)}` }));
  assert.equal(await of({}), 'user:ann');
  organisation.sessionsRevokedBefore.set('user:ann' as never, clock.now());
  assert.equal(await of({ iat: seconds() - 1 }), 'session-revoked');
  assert.equal(await of({ iat: undefined } as never), 'session-revoked');
  assert.equal(await of({ iat: seconds() }), 'user:ann');
  assert.equal(await of({ sub: 'bob', iat: seconds() - 1, act: { sub: 'ann' } }), 'session-revoked');
});
