/** Credentials that are almost right, against the started product: each is refused by name, and nothing reaches the API. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { audience, issuerUrl, type OwnWorld, ownIssuer, ownWorld } from '../world/own-api.ts';
import { change, event, send, things } from '../world/things.ts';

const nowSeconds = Math.floor(Date.now() / 1000);
const silentIssuer = 'http://127.0.0.1:9';

describe('a credential', () => {
  let world: OwnWorld;
  before(async () => {
    const model = things();
    world = await ownWorld({
      ...model,
      moreIssuers: [{ issuer: silentIssuer, audience: [audience], algorithms: ['ES256'] }],
    });
    await world.start();
    await send(world, event('1', 'person.joined', 'user:rita', { department: 'reading' }), '?wait=enforced');
  });
  after(() => world[Symbol.asyncDispose]());

  const call = (headers: Readonly<Record<string, string>>) => fetch(`${world.gate}/things/list`, { headers });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const refusedWith = async (
    headers: Readonly<Record<string, string>>,
    status: number,
    code: string,
    says = /./,
  ): Promise<void> => {
    const before = world.api.reached.length;
    const response = await call(headers);
    const body = (await response.json()) as { type: string; status: number; detail?: string };
    assert.deepEqual([response.status, body.type, body.status], [status, `urn:postern:problem:${code}`, status]);
    assert.match(body.detail ?? '', says);
    assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.ok(response.headers.get('postern-decision'));
    if (status === 401) assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/);
    if (status === 503) assert.ok(response.headers.get('retry-after'));
    assert.equal(world.api.reached.length, before, 'nothing reaches the API');
  };
  const bad = (token: string, says?: RegExp) => refusedWith(bearer(token), 401, 'proxy/bad-credential', says);

  test('as it should be passes', async () => {
    const response = await call(bearer(await world.issuer.token('rita')));
    assert.equal(response.status, 200);
    assert.equal(world.api.reached.at(-1)?.url, '/list');
  });
  test('that is none is asked for', () => refusedWith({}, 401, 'proxy/no-credential', /^/));
  test('of the algorithm "none" is refused', () =>
    bad(
      new UnsecuredJWT({ iss: issuerUrl, aud: audience, sub: 'rita' }).setIssuedAt().setExpirationTime('1h').encode(),
    ));
  test('signed with HS256, the public key for a secret, is refused', async () => {
    const key = await importJWK(world.issuer.publicJwk, 'ES256', { extractable: true });
    assert.ok(!(key instanceof Uint8Array));
    for (const secret of [await exportSPKI(key), JSON.stringify(world.issuer.publicJwk)])
      await bad(
        await new SignJWT({ iss: issuerUrl, aud: audience, sub: 'rita' })
          .setProtectedHeader({ alg: 'HS256', kid: String(world.issuer.publicJwk['kid']), typ: 'at+jwt' })
          .setIssuedAt()
          .setExpirationTime('1h')
          .sign(new TextEncoder().encode(secret)),
      );
  });
  test('for another audience is refused', async () =>
    bad(await world.issuer.token('rita', { claims: { aud: 'another-api' } }), /aud/));
  test('that ran out is refused', async () =>
    bad(await world.issuer.token('rita', { claims: { iat: nowSeconds - 7200 }, exp: '-1h' }), /exp/));
  test('that is not valid yet is refused', async () =>
    bad(await world.issuer.token('rita', { claims: { nbf: nowSeconds + 3600 } }), /nbf/));
  test('of a key that its issuer does not have is refused', async () =>
    bad(await world.issuer.token('rita', { kid: 'unknown' })));
  test('signed by somebody else under the issuer’s own key id is refused', async () => {
    const mallory = await ownIssuer();
    await bad(await mallory.token('rita', { kid: String(world.issuer.publicJwk['kid']) }), /signature/);
  });
  test('of an issuer that is not trusted here is refused', async () =>
    bad(await world.issuer.token('rita', { claims: { iss: 'https://other.test' } }), /issuer is not trusted/));
  test('with one changed character is refused', async () => {
    const token = await world.issuer.token('rita');
    const [header = '', payload = '', signature = ''] = token.split('.');
    const other = (text: string, at: number) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    for (const changed of [
      [header, other(payload, 10), signature],
      [header, payload, other(signature, 10)],
      [header, payload, ''],
      [header, payload],
    ])
      await bad(changed.join('.'));
  });
  test('of an issuer whose keys cannot be had is undecidable, and so refused for now', async () =>
    refusedWith(
      bearer(await world.issuer.token('rita', { claims: { iss: silentIssuer } })),
      503,
      'proxy/cannot-decide',
      /keys of http:\/\/127\.0\.0\.1:9 cannot be read/,
    ));

  test('that is a key passes with its owner, and narrower', async () => {
    const { body } = await change(world, '/keys?wait=enforced', {
      owner: 'user:rita',
      roles: ['thing-reader'],
      reason: 'test',
    });
    const key = String(body['key']);
    assert.equal((await call({ 'x-api-key': key })).status, 200);
    const at = key.length - 5;
    const changed = key.slice(0, at) + (key[at] === 'A' ? 'B' : 'A') + key.slice(at + 1);
    await refusedWith({ 'x-api-key': changed }, 401, 'proxy/bad-credential', /no live API key/);
    await refusedWith({ 'x-api-key': key.toUpperCase() }, 401, 'proxy/bad-credential');
    await refusedWith(
      { 'x-api-key': key, ...bearer(await world.issuer.token('rita')) },
      400,
      'proxy/two-credentials',
      /^/,
    );
    const written = await fetch(`${world.gate}/things/list`, { method: 'POST', headers: { 'x-api-key': key } });
    assert.equal(written.status, 403);
  });
  test('that is a key which ran out is refused', async () => {
    const until = '2020-01-01T00:00:00Z';
    const { body } = await change(world, '/keys?wait=enforced', {
      owner: 'user:rita',
      roles: ['thing-reader'],
      until,
      reason: 'test',
    });
    await refusedWith({ 'x-api-key': String(body['key']) }, 401, 'proxy/bad-credential', /run out/);
  });
  test('of whoever is right and not allowed is a 403 that tells the roles only to whom it knows', async () => {
    const stranger = await call(bearer(await world.issuer.token('nobody')));
    assert.equal(stranger.status, 403);
    assert.equal('needed' in ((await stranger.json()) as object), false);
  });
});
