/** The console in a real browser, against a started product. Screenshots land beside this file, and are not kept in the repository. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type DemoWorld, demoWorld } from '../world/embedded.ts';
import { console390, type Eyes, eyesOn, hostile, type Person, skip } from './browser.ts';

suite('the console', { skip }, () => {
  let world: DemoWorld;
  let eyes: Eyes;
  let auditor: Person;
  let member: Person;

  before(async () => {
    world = await demoWorld();
    eyes = await eyesOn(world.gate, world.key);
    auditor = await eyes.person('user:bob', 'postern-auditor');
    member = await eyes.person('user:carol', 'postern-member');
    const token = await world.token('bob');
    await fetch(`${world.gate}/payroll/employees`, { headers: { authorization: `Bearer ${token}` } });
    await fetch(`${world.gate}/payroll/${encodeURIComponent('<b onclick=x>')}`, {
      headers: { authorization: `Bearer ${token}` },
    });
  });
  after(async () => {
    await eyes?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  test('is below 300 KB compressed at the first look, with hashed files that last and a page that does not', async () => {
    const get = (path: string) => fetch(`${world.gate}${path}`);
    const index = await get('/.postern/console/');
    assert.equal(index.headers.get('cache-control'), 'no-cache');
    const policy = index.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    const html = await index.text();
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i);
    let bytes = gzipSync(html).length;
    const assets = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
    assert.ok(assets.length >= 2);
    for (const path of assets) {
      const asset = await get(path);
      assert.match(asset.headers.get('cache-control') ?? '', /immutable/);
      bytes += gzipSync(Buffer.from(await asset.arrayBuffer())).length;
    }
    assert.ok(bytes < 300_000, `${bytes} bytes`);
    assert.equal((await get('/.postern/console/assets/none.js')).status, 404);
  });

  test('refuses a key that is none, and says so', async () => {
    const page = await eyes.open();
    await page.getByRole('textbox', { name: 'API key' }).fill(`psk_${'A'.repeat(43)}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('You are not signed in').waitFor();
    await eyes.looked(page, 'sign-in');
    assert.deepEqual(await page.context().cookies(), []);
    await page.close();
  });

  test('keeps the session in a cookie that no script reads, that no other site can use, and that no API sees', async () => {
    const page = await eyes.signedIn(auditor.key);
    const [cookie] = await page.context().cookies(`${world.gate}/.postern/`);
    assert.ok(cookie);
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/.postern/']);
    assert.equal(await page.evaluate('document.cookie'), '');
    const facts = (headers: Record<string, string>, path = '/.postern/audit/facts') =>
      fetch(`${world.gate}${path}`, { headers: { cookie: `${cookie.name}=${cookie.value}`, ...headers } }).then(
        ({ status }) => status,
      );
    assert.equal(await facts({ 'postern-console': '1' }), 200);
    assert.equal(await facts({ 'postern-console': '1', origin: world.gate }), 200);
    assert.equal(await facts({}), 401, 'without the header of the page');
    assert.equal(await facts({ 'postern-console': '1', origin: 'https://elsewhere.test' }), 401, 'from another origin');
    assert.equal(await facts({ 'postern-console': '1' }, '/payroll/employees'), 401, 'for another API');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await page.context().cookies(`${world.gate}/.postern/`), []);
    await page.close();
  });

  test('offers a member none of the pages of the record, and has them answer a request with a reason, at 390 px', async () => {
    await eyes.api('/roles/payslips', { allows: [{ endpoint: 'payroll/getPayslip' }], approvers: ['manager'] }, 'PUT');
    const dave = await eyes.person('user:dave', 'postern-member');
    const asked = await fetch(`${world.gate}/.postern/requests`, {
      method: 'POST',
      headers: { 'x-api-key': dave.key, 'content-type': 'application/json' },
      body: JSON.stringify({ role: 'payslips', duration: '1h', reason: hostile }),
    });
    assert.equal(asked.status, 201, await asked.clone().text());
    const { id } = (await asked.json()) as { id: string };
    const page = await eyes.signedIn(member.key, '/record', console390);
    await page.getByText('user:dave', { exact: true }).first().waitFor();
    assert.deepEqual(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allTextContents(), [
      'Deciding',
    ]);
    assert.equal(await page.getByRole('button', { name: 'Approve' }).isDisabled(), true, 'without a reason');
    await eyes.looked(page, 'deciding-narrow');
    await page.getByLabel('Your reason').fill('he needs them today');
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('No request waits for your answer.').waitFor();
    const answered = await fetch(`${world.gate}/.postern/requests/${id}`, { headers: { 'x-api-key': world.key } });
    assert.equal(((await answered.json()) as { state: string }).state, 'granted');
    await page.close();
  });

  test('ends the session where its key is revoked', async () => {
    const page = await eyes.signedIn(auditor.key, '/now');
    await page.locator('.causes').waitFor();
    await eyes.api(`/keys/${encodeURIComponent(auditor.id)}?wait=enforced`, { reason: 'lost' }, 'DELETE');
    await page.getByText('Your session has ended').first().waitFor();
    await eyes.looked(page, 'session-over');
    await page.close();
  });

  test('breaks its own policy nowhere', () => assert.deepEqual(eyes.complaints, []));
});
