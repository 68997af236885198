/** Signing in by OpenID Connect, in a real browser at a real provider: what gets in, what does not, and what ends it. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type Eyes, eyesOn, skip } from './browser.ts';
import { type SignInWorld, signInAs, signInWorld } from './sign-in.ts';

const tokenSeconds = 12;

suite('signing in by OpenID Connect', { skip }, () => {
  let world: SignInWorld;
  let eyes: Eyes;

  const cookiesOf = async (page: Page): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries(
      (await page.context().cookies(`${world.gate}/.postern/console/session/`)).map(({ name, value }) => [name, value]),
    );
  const post = (path: string, cookies: Readonly<Record<string, string>>, body: object = {}, headers = {}) =>
    fetch(`${world.gate}/.postern${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        cookie: Object.entries(cookies)
          .map(([name, value]) => `${name}=${value}`)
          .join('; '),
        ...headers,
      },
      body: JSON.stringify(body),
    });
  const asked = async (session: string): Promise<number> =>
    (
      await fetch(`${world.gate}/.postern/requests/mine`, {
        headers: { cookie: `postern_session=${session}`, 'postern-console': '1' },
      })
    ).status;
  const signedIn = async (name: string, path = '/'): Promise<Page> => {
    const page = await eyes.open(path);
    await signInAs(page, name);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    return page;
  };
  /** Up to where the provider sends the browser back: what it says then, and what the browser holds. */
  const stoppedAtTheDoor = async (name: string) => {
    const page = await eyes.open();
    const back = Promise.withResolvers<string>();
    await page.route('**/console/session/finish', (route) => {
      back.resolve((route.request().postDataJSON() as { query: string }).query);
      return route.abort();
    });
    await signInAs(page, name);
    const query = await back.promise;
    return { page, query, cookies: await cookiesOf(page) };
  };

  before(async () => {
    world = await signInWorld(tokenSeconds);
    eyes = await eyesOn(world.gate, world.key);
    for (const name of ['ann', 'mallory', 'leaver']) await eyes.event('postern.person.joined.v1', `user:${name}`);
    for (const name of ['ann', 'mallory', 'leaver'])
      await eyes.api('/grants', { subject: `user:${name}`, role: 'postern-member', reason: 'may ask' });
  });
  after(async () => {
    await eyes?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  test('brings somebody back to the page they asked for, as whom the issuer names, with nothing of it left in the address', async () => {
    const page = await eyes.open('/deciding/ask?find=payroll');
    await eyes.looked(page, 'sign-in-issuer');
    await signInAs(page, 'ann');
    await page.getByText('user:ann').waitFor();
    assert.equal(page.url(), `${world.gate}/.postern/console/deciding/ask?find=payroll`);
    const cookies = await page.context().cookies(`${world.gate}/.postern/console/session`);
    assert.deepEqual(cookies.map(({ name, httpOnly, sameSite, path }) => [name, httpOnly, sameSite, path]).sort(), [
      ['postern_renewal', true, 'Strict', '/.postern/console/session'],
      ['postern_session', true, 'Strict', '/.postern/'],
    ]);
    assert.equal(await page.evaluate('document.cookie'), '');
    await page.close();
  });

  test('renews the session before it ends, once for all tabs', async () => {
    const page = await signedIn('ann', '/deciding/ask');
    const second = await page.context().newPage();
    await second.goto(`${world.gate}/.postern/console/deciding/mine`);
    const first = (await cookiesOf(page))['postern_session'] ?? '';
    const renewals: number[] = [];
    page.context().on('response', (response) => {
      if (response.url().endsWith('/session/renew')) renewals.push(response.status());
    });
    await page.waitForTimeout((tokenSeconds + 2) * 1_000);
    assert.notEqual((await cookiesOf(page))['postern_session'], first);
    assert.ok(renewals.length > 0 && renewals.every((status) => status === 204), String(renewals));
    assert.equal(await page.getByText('Your session has ended').count(), 0);
    await page.context().close();
  });

  test('ends at every gate when somebody signs out: a copy of the cookies is worth nothing', async () => {
    const page = await signedIn('ann');
    const copy = await cookiesOf(page);
    assert.equal(await asked(copy['postern_session'] ?? ''), 200);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: /Sign in with the test/ }).waitFor();
    assert.deepEqual(await cookiesOf(page), {});
    assert.equal(await asked(copy['postern_session'] ?? ''), 401);
    const renewed = await post('/console/session/renew', copy, {}, { 'postern-console': '1' });
    assert.equal(renewed.status, 401, 'it cannot be renewed either');
    await page.close();
  });

  test('ends when the session is revoked, loses nothing that was typed, and goes on where it was', async () => {
    const page = await signedIn('ann', '/deciding/ask?find=payroll');
    const copy = await cookiesOf(page);
    await eyes.api(
      '/roles/payslips',
      { allows: [{ endpoint: 'payroll/getPayslip' }], approvers: ['user:mallory'] },
      'PUT',
    );
    await page.goto(`${world.gate}/.postern/console/deciding/ask?role=payslips`);
    await page.getByLabel('Why you need it').fill('I had just typed all of this');
    await eyes.event('postern.session.revoked.v1', 'user:ann', { reason: 'her laptop was stolen' });
    assert.equal(await asked(copy['postern_session'] ?? ''), 401);
    const renewed = await post('/console/session/renew', copy, {}, { 'postern-console': '1' });
    assert.equal(renewed.status, 401, 'what it would have been renewed with is worth nothing');
    await page.getByRole('button', { name: 'Ask for payslips' }).click();
    await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
    await page.waitForTimeout(1_000);
    await signInAs(page, 'ann');
    await page.getByText('user:ann').waitFor();
    assert.equal(await page.getByLabel('Why you need it').inputValue(), 'I had just typed all of this');
    await page.close();
  });

  test('ends for whoever has left: nothing is theirs to see any more', async () => {
    const page = await signedIn('leaver', '/deciding');
    const copy = (await cookiesOf(page))['postern_session'] ?? '';
    assert.equal(await asked(copy), 200);
    await eyes.event('postern.person.left.v1', 'user:leaver');
    assert.equal(await asked(copy), 403);
    await page.close();
  });

  test('keeps the access token for this gate and nothing else of what the issuer gave', async () => {
    const { query, cookies, page: stopped } = await stoppedAtTheDoor('ann');
    const finished = await post('/console/session/finish', cookies, { query });
    const set = finished.headers.getSetCookie().join('\n');
    assert.equal(finished.status, 200, await finished.text());
    const access = /postern_session=([^;]+)/.exec(set)?.[1] ?? '';
    assert.equal(await asked(access), 200);
    const [head = '', claims = '', signature = ''] = access.split('.');
    const { typ } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { typ: string };
    const { aud } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { aud: string };
    assert.deepEqual([typ, aud], ['at+jwt', 'postern-e2e'], 'what is kept is the access token, for this gate');
    assert.equal(await asked(`${head}.${claims}.${signature.slice(0, -2)}AA`), 401);
    await stopped.close();
  });

  test('refuses codes, states and verifiers that were mixed up, stolen or used before', async () => {
    const [ann, mallory] = [await stoppedAtTheDoor('ann'), await stoppedAtTheDoor('mallory')];
    const refusedBy = async (what: string, cookies: Readonly<Record<string, string>>, query: string) => {
      const answer = await post('/console/session/finish', cookies, { query });
      const said = (await answer.json()) as { type: string };
      assert.deepEqual([answer.status, said.type], [400, 'urn:postern:problem:console/sign-in-refused'], what);
      const set = answer.headers.getSetCookie().join('\n');
      assert.doesNotMatch(set, /postern_session=[^;]/, what);
    };
    const part = (query: string, name: string) => new URLSearchParams(query).get(name) ?? '';
    const withPart = (query: string, name: string, value: string) => {
      const parts = new URLSearchParams(query);
      parts.set(name, value);
      return `?${parts}`;
    };
    const mixed = withPart(ann.query, 'code', part(mallory.query, 'code'));
    await refusedBy(
      "an answer that is another browser's: signing in under a name of the attacker's choice",
      ann.cookies,
      mallory.query,
    );
    await refusedBy('a code of another sign-in under the own state', ann.cookies, mixed);
    await refusedBy('another state', ann.cookies, withPart(ann.query, 'state', 'x'.repeat(43)));
    await refusedBy('another issuer', ann.cookies, withPart(ann.query, 'iss', 'http://elsewhere.test'));
    await refusedBy('no cookie', {}, ann.query);
    const sealed = ann.cookies['postern_sign_in'] ?? '';
    await refusedBy('a changed cookie', { postern_sign_in: `${sealed.slice(0, -3)}AAA` }, ann.query);
    const good = await post('/console/session/finish', mallory.cookies, { query: mallory.query });
    assert.equal(good.status, 200, await good.text());
    const renewal = /postern_renewal=([^;]+)/.exec(good.headers.getSetCookie().join('\n'))?.[1] ?? '';
    await refusedBy('the same answer once more', mallory.cookies, mallory.query);
    await refusedBy('what was sealed for something else', { postern_sign_in: renewal }, mallory.query);
    for (const { page } of [ann, mallory]) await page.close();
  });

  test("renews nobody's session with what another's is renewed with", async () => {
    const [ann, mallory] = [await signedIn('ann'), await signedIn('mallory')];
    const [hers, theirs] = [await cookiesOf(ann), await cookiesOf(mallory)];
    const crossed = await post(
      '/console/session/renew',
      { postern_session: theirs['postern_session'] ?? '', postern_renewal: hers['postern_renewal'] ?? '' },
      {},
      { 'postern-console': '1' },
    );
    assert.equal(crossed.status, 409);
    assert.deepEqual(crossed.headers.getSetCookie(), []);
    await Promise.all([ann.close(), mallory.close()]);
  });

  test('begins on its own pages alone, and says what the issuer says when it refuses', async () => {
    const body = { issuer: world.provider.url, returnTo: '/' };
    const from = (headers: Record<string, string>, more = {}) =>
      post('/console/session/begin', {}, { ...body, ...more }, headers).then(({ status }) => status);
    assert.equal(await from({ origin: world.gate }), 200);
    assert.equal(await from({ origin: 'https://elsewhere.test' }), 400);
    assert.equal(await from({}), 400);
    assert.equal(await from({ origin: world.gate, 'sec-fetch-site': 'cross-site' }), 400);
    assert.equal(await from({ origin: world.gate }, { issuer: 'https://elsewhere.test' }), 400);
    for (const returnTo of ['//elsewhere.test', '/\\elsewhere.test', 'https://elsewhere.test', 'x'])
      assert.equal(await from({ origin: world.gate }, { returnTo }), 400, returnTo);
    const page = await eyes.open();
    await page.goto(
      `${world.gate}/.postern/console/signed-in?error=access_denied&error_description=%3Cb%3Eno%3C%2Fb%3E&state=x`,
    );
    await page.getByText('You are not signed in').waitFor();
    await eyes.looked(page, 'sign-in-refused');
    await page.close();
  });

  test('breaks its own policy nowhere', () => assert.deepEqual(eyes.complaints, []));
});
