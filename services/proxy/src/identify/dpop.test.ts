/** Tokens bound to a key, and the proofs that have to come with them. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { Issuer, Organisation } from '@postern/schemas';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { handClock } from '../trial/clock.ts';
import { clientCertificates } from './client-certificates.ts';
import { ownProofMemory, proofChecker } from './dpop.ts';
import { type Credentials, identifier } from './identify.ts';
import type { Identity } from './identity.ts';
import { opaqueIdentifier } from './introspection.ts';
import { jwtIdentifier } from './jwt.ts';
import { replays } from './replays.ts';

const url = 'https://idp.example.com';
const keys = async (alg = 'ES256') => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { alg, privateKey, jwk, secret: await exportJWK(privateKey), thumbprint: await calculateJwkThumbprint(jwk) };
};
type Keys = Awaited<ReturnType<typeof keys>>;
const [issuerKeys, holder, stranger] = await Promise.all([keys(), keys(), keys()]);

const setUp = (dpop: object = {}, seen?: ReturnType<typeof replays>) => {
  const clock = handClock();
  const seconds = (): number => Math.floor(clock.now() / 1_000);
  const issuer = Issuer.parse({ issuer: url, audience: ['api'], jwks: `${url}/jwks`, dpop });
  const read = async () => ({ keys: [{ ...issuerKeys.jwk, kid: 'one', alg: 'ES256' }] });
  const identify = identifier({
    organisation: new Organisation(),
    clock,
    jwt: jwtIdentifier(clock, [issuer], read),
    opaque: opaqueIdentifier(clock, []),
    proofs: proofChecker(clock, { ...ownProofMemory(clock), ...(seen && { seen }) }),
    certificates: clientCertificates(clock),
  });
  const token = (cnf: unknown = { jkt: holder.thumbprint }): Promise<string> =>
    new SignJWT({
      iss: url,
      aud: 'api',
      sub: 'ann',
      iat: seconds(),
      exp: seconds() + 3_000,
      ...(cnf !== null && { cnf }),
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'at+jwt' })
      .sign(issuerKeys.privateKey);
  let count = 0;
  const prove = (of: string, claims: object = {}, header: object = {}, by: Keys = holder): Promise<string> =>
    new SignJWT(
      JSON.parse(
        JSON.stringify({
          jti: `proof-${count++}`,
          htm: 'GET',
          htu: 'https://gate.test/payroll/7',
          iat: seconds(),
          ath: hash('sha256', of, 'base64url'),
          ...claims,
        }),
      ),
    )
      .setProtectedHeader({ alg: by.alg, typ: 'dpop+jwt', jwk: by.jwk as JWK, ...header })
      .sign(by.privateKey);
  const send = async (authorization: string, dpop?: string, about: Partial<Credentials> = {}): Promise<Identity> =>
    await identify({
      method: 'GET',
      scheme: 'https',
      host: 'gate.test',
      path: '/payroll/7',
      authorization,
      ...(dpop !== undefined && { dpop }),
      ...about,
    });
  return { clock, seconds, token, prove, send };
};
const challengeOf = (identity: Identity): string | undefined =>
  identity.kind === 'bad' ? identity.challenge?.authenticate : identity.kind;

test('a bound token passes with a proof of its key, and the same token with another proof again', async () => {
  const { token, prove, send } = setUp();
  const bound = await token();
  for (let count = 0; count < 3; count++) {
    const identity = await send(`DPoP ${bound}`, await prove(bound));
    assert.ok(identity.kind === 'caller');
    assert.equal(identity.principal, 'user:ann');
  }
});

test('a bound token as a Bearer is refused, with a proof or without one', async () => {
  const { token, prove, send } = setUp();
  const bound = await token();
  for (const proof of [undefined, await prove(bound)])
    assert.match(
      String(challengeOf(await send(`Bearer ${bound}`, proof))),
      /^Bearer error="invalid_token", DPoP algs="ES256 /,
    );
});

test('a token that is bound to nothing is no DPoP token, and as a Bearer a proof beside it means nothing', async () => {
  const { token, prove, send } = setUp();
  const free = await token(null);
  assert.match(String(challengeOf(await send(`DPoP ${free}`, await prove(free)))), /^DPoP error="invalid_token"/);
  assert.equal((await send(`Bearer ${free}`, await prove(free))).kind, 'caller');
  assert.equal((await send(`Bearer ${free}`, 'nonsense')).kind, 'caller');
});

test('an issuer may demand that its tokens are bound', async () => {
  const { token, prove, send } = setUp({ required: true });
  const [free, bound] = [await token(null), await token()];
  assert.equal((await send(`Bearer ${free}`)).kind, 'bad');
  assert.equal((await send(`DPoP ${bound}`, await prove(bound))).kind, 'caller');
});

test('a binding that cannot be checked is not taken for none', async () => {
  const { token, send } = setUp();
  for (const cnf of [
    {},
    { jwk: holder.jwk },
    { kid: 'x' },
    'jkt',
    [],
    7,
    { jkt: '' },
    { jkt: 7 },
    { jkt: 'x' },
    { 'x5t#S256': 'x' },
  ])
    for (const scheme of ['Bearer', 'DPoP'])
      assert.equal((await send(`${scheme} ${await token(cnf)}`)).kind, 'bad', JSON.stringify(cnf));
});

test('a proof that is not of this key, this token, this request and this minute is refused', async () => {
  const { token, prove, send, seconds } = setUp();
  const bound = await token();
  const hmac = await new SignJWT({ jti: 'x' }).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32));
  const good = await prove(bound);
  const rsa = await keys('RS384');
  const rows: Record<string, string | undefined> = {
    none: undefined,
    text: 'proof',
    'the token itself': bound,
    'of another key': await prove(bound, {}, {}, stranger),
    'of another key that claims to be this one': await prove(bound, {}, { jwk: holder.jwk }, stranger),
    'with a key that holds its secret': await prove(bound, {}, { jwk: holder.secret }),
    'with a symmetric key': hmac,
    'with an algorithm that is not pinned': await prove(bound, {}, {}, rsa),
    'of another type': await prove(bound, {}, { typ: 'JWT' }),
    'of no type': await prove(bound, {}, { typ: undefined }),
    'for another method': await prove(bound, { htm: 'POST' }),
    'for the method in lower case': await prove(bound, { htm: 'get' }),
    'for another path': await prove(bound, { htu: 'https://gate.test/payroll/8' }),
    'for a path below': await prove(bound, { htu: 'https://gate.test/payroll/7/' }),
    'for the path in other letters': await prove(bound, { htu: 'https://gate.test/Payroll/7' }),
    'for another host': await prove(bound, { htu: 'https://evil.test/payroll/7' }),
    'for another port': await prove(bound, { htu: 'https://gate.test:8443/payroll/7' }),
    'for another scheme': await prove(bound, { htu: 'http://gate.test/payroll/7' }),
    'for a host behind a name': await prove(bound, { htu: 'https://gate.test@evil.test/payroll/7' }),
    'for no address': await prove(bound, { htu: undefined }),
    'for a path alone': await prove(bound, { htu: '/payroll/7' }),
    'for another token': await prove(await token()),
    'for no token': await prove(bound, { ath: undefined }),
    'without a jti': await prove(bound, { jti: undefined }),
    'with a jti that is empty': await prove(bound, { jti: '' }),
    'with a jti that is no text': await prove(bound, { jti: 7 }),
    'with an endless jti': await prove(bound, { jti: 'x'.repeat(300) }),
    'too old': await prove(bound, { iat: seconds() - 91 }),
    'of the future': await prove(bound, { iat: seconds() + 31 }),
    'without a time': await prove(bound, { iat: undefined }),
    'that ended': await prove(bound, { exp: seconds() - 31 }),
    'with a critical header': await prove(bound, {}, { crit: ['x'], x: 1 }).catch(() => 'x'),
    'spelled otherwise': `${good}=`,
    overlong: await prove(bound, { x: 'x'.repeat(9_000) }),
  };
  for (const [name, proof] of Object.entries(rows)) {
    const identity = await send(`DPoP ${bound}`, proof);
    assert.match(String(challengeOf(identity)), /^DPoP error="invalid_(dpop_proof|token)", algs="/, name);
  }
  assert.equal((await send(`DPoP ${bound}`, good)).kind, 'caller');
});

test('the address is compared as its sender may spell it, and as a trusted proxy was called', async () => {
  const { token, prove, send } = setUp();
  const bound = await token();
  for (const htu of [
    'HTTPS://GATE.TEST/payroll/7',
    'https://gate.test:443/payroll/7?x=1#y',
    'https://gate.test/%70ayroll/./7',
  ])
    assert.equal((await send(`DPoP ${bound}`, await prove(bound, { htu }))).kind, 'caller', htu);
  const proof = await prove(bound, { htu: 'https://api.example.com/payroll/7' });
  assert.equal((await send(`DPoP ${bound}`, proof, { forwardedHost: 'api.example.com' })).kind, 'caller');
});

test('a proof counts once, as long as it could count', async () => {
  const { clock, token, prove, send } = setUp();
  const bound = await token();
  const proof = await prove(bound);
  assert.equal((await send(`DPoP ${bound}`, proof)).kind, 'caller');
  for (let second = 0; second < 95; second++) {
    assert.equal((await send(`DPoP ${bound}`, proof)).kind, 'bad', `after ${second} s`);
    clock.advance(1_000);
  }
  const [one, two] = await Promise.all([prove(bound, { jti: 'same' }), prove(bound, { jti: 'same' })]);
  const kinds = await Promise.all([send(`DPoP ${bound}`, one), send(`DPoP ${bound}`, two)]);
  assert.deepEqual(kinds.map(({ kind }) => kind).sort(), ['bad', 'caller']);
});

test('where proofs can be remembered no more, none counts; and one key cannot take the room of all', async () => {
  const clock = handClock();
  const seen = replays(clock, 5, 3);
  const note = (key: string, proof: string) => seen.note(key, proof, 1_000);
  assert.deepEqual(
    ['1', '2', '3', '4', '1'].map((proof) => note('a', proof)),
    ['new', 'new', 'new', 'full', 'seen'],
  );
  assert.deepEqual(
    ['1', '2', '3'].map((proof) => note('b', proof)),
    ['new', 'new', 'full'],
  );
  clock.advance(1_000);
  assert.equal(note('a', '1'), 'new');
  assert.equal(seen.size(), 1);
  const { token, prove, send } = setUp({}, replays(clock, 1));
  const bound = await token();
  assert.equal((await send(`DPoP ${bound}`, await prove(bound))).kind, 'caller');
  assert.equal((await send(`DPoP ${bound}`, await prove(bound))).kind, 'undecidable');
});

test('where a nonce is asked for, only a proof with a recent one of this gate counts', async () => {
  const { clock, token, prove, send } = setUp({ nonce: true });
  const bound = await token();
  const first = await send(`DPoP ${bound}`, await prove(bound));
  assert.ok(first.kind === 'bad');
  assert.match(String(first.challenge?.authenticate), /^DPoP error="use_dpop_nonce"/);
  const nonce = String(first.challenge?.dpopNonce);
  assert.equal((await send(`DPoP ${bound}`, await prove(bound, { nonce }))).kind, 'caller');
  assert.equal((await send(`DPoP ${bound}`, await prove(bound, { nonce: `${nonce}x` }))).kind, 'bad');
  const elsewhere = setUp({ nonce: true });
  assert.equal((await elsewhere.send(`DPoP ${bound}`, await prove(bound, { nonce }))).kind, 'bad');
  clock.advance(300_001);
  const late = await send(`DPoP ${bound}`, await prove(bound, { nonce }));
  assert.ok(late.kind === 'bad' && late.challenge?.dpopNonce !== nonce);
});

test('what is no good token under the DPoP scheme is answered in that scheme', async () => {
  const { send } = setUp();
  assert.match(String(challengeOf(await send('DPoP abc', 'x'))), /^DPoP error="invalid_token"/);
  assert.equal((await send('DPoP psk_key', 'x')).kind, 'bad');
});
