/** The console in a real browser, against a started product. Screenshots land beside this file, and are not kept in the repository. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type DemoWorld, demoWorld } from '../world/embedded.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const skip = executablePath === undefined && 'no chromium is installed';
const screenshots = join(dirname(fileURLToPath(import.meta.url)), 'screenshots');
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const hostile = '<img src=x onerror="window.xss=1"><script>window.xss=1</script>{{7*7}}';

suite('the console', { skip }, () => {
  let world: DemoWorld;
  let browser: Browser;
  let auditor: { id: string; key: string };
  let member: { id: string; key: string };
  const complaints: string[] = [];

  const api = async (path: string, body: object, method = 'POST') => {
    const response = await fetch(`${world.gate}/.postern${path}`, {
      method,
      headers: { 'x-api-key': world.key, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, await response.clone().text());
    return (await response.json()) as { id: string; key: string };
  };
  const person = async (name: string, role: string) => {
    await api('/grants', { subject: name, role, reason: hostile });
    return api('/keys', { owner: name, roles: [role], reason: 'a session of a test' });
  };
  const open = async (path = '/', options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${world.gate}/.postern/console${path}`);
    return page;
  };
  const signedIn = async (key: string, path = '/', options: Parameters<Browser['newPage']>[0] = {}) => {
    const page = await open(path, options);
    await page.getByRole('textbox', { name: 'API key' }).fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    return page;
  };
  /** Run in a context of the test's own: the page's policy lets no other script in. */
  const looked = async (page: Page, name: string): Promise<void> => {
    await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
    const found = await page.evaluate(
      `(() => { ${await readFile(axe, 'utf8')}; return window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }); })()`,
    );
    const { violations } = found as { violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] };
    assert.deepEqual(
      violations.map(({ id, nodes }) => [id, nodes[0]?.html, nodes[0]?.failureSummary]),
      [],
    );
    assert.equal(await page.evaluate('window.xss'), undefined);
  };

  before(async () => {
    await mkdir(screenshots, { recursive: true });
    [world, browser] = await Promise.all([
      demoWorld(),
      chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] }),
    ]);
    auditor = await person('user:bob', 'postern-auditor');
    member = await person('user:carol', 'postern-member');
    const token = await world.token('bob');
    await fetch(`${world.gate}/payroll/employees`, { headers: { authorization: `Bearer ${token}` } });
    await fetch(`${world.gate}/payroll/${encodeURIComponent('<b onclick=x>')}`, {
      headers: { authorization: `Bearer ${token}` },
    });
  });
  after(async () => {
    await browser?.close();
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
    const page = await open();
    await page.getByRole('textbox', { name: 'API key' }).fill(`psk_${'A'.repeat(43)}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('You are not signed in').waitFor();
    await looked(page, 'sign-in');
    assert.deepEqual(await page.context().cookies(), []);
    await page.close();
  });

  test('keeps the session in a cookie that no script reads, that no other site can use, and that no API sees', async () => {
    const page = await signedIn(auditor.key);
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

  test('shows an auditor what the gate decides, and hostile text as text', async () => {
    const page = await signedIn(auditor.key, '/now?outcome=deny');
    await page
      .getByRole('cell', { name: /no-such-endpoint/ })
      .first()
      .waitFor();
    await page.getByText(/× no-such-endpoint at/).waitFor();
    await looked(page, 'now');
    await page.emulateMedia({ colorScheme: 'dark' });
    await looked(page, 'now-dark');
    await page.close();
  });

  test('shows who could call what through which facts, now and before there was anybody', async () => {
    const page = await signedIn(auditor.key, '/access?about=user%3Abob');
    await page.getByText('role postern-auditor').first().waitFor();
    assert.ok((await page.locator('.edge', { hasText: hostile }).count()) > 0, 'the reason stands there to the letter');
    await looked(page, 'access');
    await page.getByLabel('As of').fill('2001-01-01 00:00');
    await page.getByRole('button', { name: 'Look' }).click();
    await page.getByText(/could call nothing|could not be loaded/).waitFor();
    await looked(page, 'access-past');
    await page.close();
  });

  test('checks a fact in the browser against the pinned key, and takes no other key', async () => {
    const vkey = async (log: string) =>
      (await fetch(`${world.gate}/.postern/audit/log/${log}/vkey`, { headers: { 'x-api-key': world.key } })).text();
    const page = await signedIn(auditor.key, '/record');
    await page.getByRole('link', { name: '3', exact: true }).click();
    await page.getByLabel(/verifier key/).fill(await vkey('facts'));
    await page.getByRole('button', { name: 'Pin and verify' }).click();
    await page.getByText('Proven', { exact: true }).waitFor();
    await looked(page, 'record-proven');
    await page.getByLabel(/verifier key/).fill(await vkey('decisions'));
    await page.getByRole('button', { name: 'Pin and verify' }).click();
    await page.getByText('Not proven').waitFor();
    await page.close();
  });

  test('refuses bytes that the server has changed', async () => {
    const page = await signedIn(auditor.key, '/now');
    await page.route('**/log/facts/entry/2', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace('{', '{ ') });
    });
    await page.goto(`${world.gate}/.postern/console/record/3`);
    const vkey = await fetch(`${world.gate}/.postern/audit/log/facts/vkey`, { headers: { 'x-api-key': world.key } });
    await page.getByLabel(/verifier key/).fill(await vkey.text());
    await page.getByRole('button', { name: 'Pin and verify' }).click();
    await page.getByText('Not proven').waitFor();
    await page.close();
  });

  test('offers a member none of the pages of the record, and has them answer a request with a reason, at 390 px', async () => {
    await api('/roles/payslips', { allows: [{ endpoint: 'payroll/getPayslip' }], approvers: ['manager'] }, 'PUT');
    const dave = await person('user:dave', 'postern-member');
    const asked = await fetch(`${world.gate}/.postern/requests`, {
      method: 'POST',
      headers: { 'x-api-key': dave.key, 'content-type': 'application/json' },
      body: JSON.stringify({ role: 'payslips', duration: '1h', reason: hostile }),
    });
    assert.equal(asked.status, 201, await asked.clone().text());
    const { id } = (await asked.json()) as { id: string };
    const page = await signedIn(member.key, '/record', { viewport: { width: 390, height: 844 } });
    await page.getByText('user:dave', { exact: true }).waitFor();
    assert.deepEqual(await page.getByRole('navigation').getByRole('link').allTextContents(), ['Deciding']);
    assert.equal(await page.getByRole('button', { name: 'Approve' }).isDisabled(), true, 'without a reason');
    await looked(page, 'deciding-narrow');
    await page.getByLabel('Your reason').fill('he needs them today');
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Nothing waits for your answer.').waitFor();
    const answered = await fetch(`${world.gate}/.postern/requests/${id}`, { headers: { 'x-api-key': world.key } });
    assert.equal(((await answered.json()) as { state: string }).state, 'granted');
    await page.close();
  });

  test('ends the session where its key is revoked', async () => {
    const page = await signedIn(auditor.key, '/now');
    await page
      .getByText('The signed head', { exact: false })
      .or(page.getByText('entries in the log'))
      .first()
      .waitFor();
    await api(`/keys/${encodeURIComponent(auditor.id)}?wait=enforced`, { reason: 'lost' }, 'DELETE');
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await page.close();
  });

  test('breaks its own policy nowhere', () => assert.deepEqual(complaints, []));
});
