/** What tokens and their issuer's keys may do to each other: rotation under load, forged key ids, an issuer that is away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Issuer } from '@postern/schemas';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { handClock } from '../trial/clock.ts';
import type { Identity } from './identity.ts';
import { keysCooldownMs, keysFreshMs, keysStaleMaxMs, searchPauseMs } from './issuer-keys.ts';
import { jwtIdentifier } from './jwt.ts';

const url = 'https://idp.example.com';
const jwks = `${url}/jwks.json`;
const pair = async (kid: string) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } as JWK };
};
type Pair = Awaited<ReturnType<typeof pair>>;

/** An issuer that answers only when it is told to. */
const setUp = async () => {
  const clock = handClock();
  const first = await pair('one');
  let keys: JWK[] = [first.jwk];
  let reachable = true;
  let held: Promise<void> | undefined;
  let reads = 0;
  const read = async (): Promise<unknown> => {
    reads++;
    const now = [...keys];
    await held;
    if (!reachable) throw new Error('no answer');
    return { keys: now };
  };
  const jwt = jwtIdentifier(clock, [Issuer.parse({ issuer: url, audience: ['api'], jwks })], read);
  let count = 0;
  const sign = (by: Pair, kid = by.kid): Promise<string> => {
    const now = Math.floor(clock.now() / 1_000);
    return new SignJWT({ iss: url, aud: 'api', sub: 'ann', iat: now, exp: now + 100_000, jti: String(count++) })
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' })
      .sign(by.privateKey);
  };
  const kind = async (token: string): Promise<Identity['kind']> => (await jwt.identify(token)).kind;
  return {
    clock,
    first,
    sign,
    kind,
    jwt,
    reads: () => reads,
    publish: (...all: Pair[]) => {
      keys = all.map((each) => each.jwk);
    },
    away: (is: boolean) => {
      reachable = !is;
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
  };
};

test('a rotation refuses no good token, however soon it follows another and however many come at once', async () => {
  const { first, sign, kind, publish, reads } = await setUp();
  assert.equal(await kind(await sign(first)), 'caller');
  for (const kid of ['two', 'three', 'four']) {
    const fresh = await pair(kid);
    publish(first, fresh);
    const before = reads();
    const tokens = await Promise.all(Array.from({ length: 40 }, (_, at) => sign(at % 2 === 0 ? fresh : first)));
    const kinds = await Promise.all(tokens.map(kind));
    assert.deepEqual(new Set(kinds), new Set(['caller']), kid);
    assert.equal(reads() - before, 1, 'all wait for one look');
  }
});

test('a token whose key was published while keys were on their way is not refused as bad', async () => {
  const { first, sign, kind, publish, hold } = await setUp();
  assert.equal(await kind(await sign(first)), 'caller');
  const [second, third] = [await pair('two'), await pair('three')];
  publish(first, second);
  const release = hold();
  const waiting = kind(await sign(second));
  await new Promise((resolve) => setImmediate(resolve));
  publish(first, second, third);
  const late = kind(await sign(third));
  await new Promise((resolve) => setImmediate(resolve));
  release();
  assert.equal(await waiting, 'caller');
  assert.equal(await late, 'undecidable');
  assert.equal(await kind(await sign(third)), 'caller');
});

test('forged key ids cost the issuer a handful of questions, and are bad or undecided, never let through', async () => {
  const { clock, first, sign, kind, reads } = await setUp();
  assert.equal(await kind(await sign(first)), 'caller');
  const forger = await pair('forged');
  const seen = new Set<string>();
  for (let second = 0; second < 60; second++) {
    const forged = await Promise.all(Array.from({ length: 5 }, (_, at) => sign(forger, `forged-${second}-${at}`)));
    for (const each of await Promise.all(forged.map(kind))) seen.add(each);
    clock.advance(1_000);
  }
  assert.deepEqual([...seen].sort(), ['bad', 'undecidable']);
  assert.ok(reads() <= 9, `${reads()} reads in a minute of forgeries`);
  assert.equal(await kind(await sign(first)), 'caller', 'known keys are not touched by it');
});

test('a key id that was looked for in vain is not looked for again before the cooldown', async () => {
  const { clock, first, sign, kind, reads } = await setUp();
  assert.equal(await kind(await sign(first)), 'caller');
  const forger = await pair('same');
  for (let count = 0; count < 20; count++) assert.equal(await kind(await sign(forger)), 'bad');
  assert.equal(reads(), 2);
  clock.advance(keysCooldownMs);
  assert.equal(await kind(await sign(forger)), 'bad');
  assert.equal(reads(), 3);
});

test('forgeries delay a rotated key by a stated time at most, and the token is undecided meanwhile, not bad', async () => {
  const { clock, first, sign, kind, publish } = await setUp();
  assert.equal(await kind(await sign(first)), 'caller');
  const forger = await pair('forged');
  assert.equal(await kind(await sign(forger, 'a')), 'bad');
  const second = await pair('two');
  publish(first, second);
  assert.equal(await kind(await sign(second)), 'undecidable');
  clock.advance(searchPauseMs);
  assert.equal(await kind(await sign(second)), 'caller');
});

test('an unknown key while the issuer is away is undecided, and tokens of known keys go on', async () => {
  const { clock, first, sign, kind, away, publish } = await setUp();
  const kept = await sign(first);
  assert.equal(await kind(kept), 'caller');
  away(true);
  const second = await pair('two');
  publish(first, second);
  assert.equal(await kind(await sign(second)), 'undecidable');
  assert.equal(await kind(await sign(first)), 'caller');
  away(false);
  clock.advance(searchPauseMs);
  assert.equal(await kind(await sign(second)), 'caller');
});

test('verified tokens that are kept outlive the outage of their issuer no longer than its keys do', async () => {
  const { clock, first, sign, kind, away } = await setUp();
  const kept = await sign(first);
  assert.equal(await kind(kept), 'caller');
  away(true);
  clock.advance(keysStaleMaxMs - 1_000);
  assert.equal(await kind(kept), 'caller');
  clock.advance(2_000);
  assert.equal(await kind(kept), 'undecidable');
});

test('a kept token is answered without a promise, also while keys are read anew', async () => {
  const { clock, first, sign, jwt, hold } = await setUp();
  const token = await sign(first);
  // The first look read the keys, so the second one still verifies.
  await jwt.identify(token);
  await jwt.identify(token);
  const release = hold();
  clock.advance(keysFreshMs);
  assert.ok(!(jwt.identify(token) instanceof Promise));
  release();
});
