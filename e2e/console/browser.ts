/** A real browser before a started product: people with keys, pages that are signed in, and a look at each that axe-core has to like. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
export const skip = executablePath === undefined && 'no chromium is installed';
const home = dirname(fileURLToPath(import.meta.url));
/** Not kept in the repository; `POSTERN_PICTURES` names another place, as for the tour in docs. */
export const screenshots = join(home, 'screenshots');
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Texts that become script, markup, formulas or a mess where they are not taken for text. */
export const hostile = '<img src=x onerror="window.xss=1"><script>window.xss=1</script>{{7*7}}"\'`${window.xss=1}';
export const hostileTexts: readonly string[] = [
  hostile,
  'javascript:window.xss=1//',
  '"><svg/onload=window.xss=1>',
  '</textarea></title></style><iframe srcdoc="<script>parent.xss=1</script>">',
  '=HYPERLINK("http://elsewhere.test","click")',
];
/** Names of people as they are written: right to left, without spaces, joined, with a direction of their own. */
export const scripts: readonly string[] = [
  'محمد الأمين',
  'שרה כהן',
  '田中さくら',
  'Zoë Ångström',
  '👩‍💻',
  'abc\u202Ednatsrednu',
];

export type Person = { readonly name: string; readonly id: string; readonly key: string };
export type PageOptions = Parameters<Browser['newPage']>[0];

export type Eyes = AsyncDisposable & {
  readonly browser: Browser;
  /** What pages have complained of their policy about. */
  readonly complaints: readonly string[];
  /** As the administrator; the answer has to be good. */
  readonly api: <Answer = { id: string; key: string }>(path: string, body?: object, method?: string) => Promise<Answer>;
  /** What the HR system or the identity provider says; enforced when it resolves. */
  readonly event: (type: string, subject: string, data?: object) => Promise<void>;
  /** Many join at once. */
  readonly join: (names: readonly string[], data?: object) => Promise<void>;
  /** Whoever has joined, with the roles and a key that carries them. */
  readonly person: (name: string, ...roles: readonly string[]) => Promise<Person>;
  readonly open: (path?: string, options?: PageOptions) => Promise<Page>;
  readonly signedIn: (key: string, path?: string, options?: PageOptions) => Promise<Page>;
  /** A picture, and nothing that axe-core finds, in light and in dark. */
  readonly looked: (page: Page, name: string) => Promise<void>;
};

export const console390 = { viewport: { width: 390, height: 844 } } as const;

export const eyesOn = async (gate: string, adminKey: string): Promise<Eyes> => {
  await mkdir(screenshots, { recursive: true });
  const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] });
  const complaints: string[] = [];
  const axeText = await readFile(axe, 'utf8');

  const api: Eyes['api'] = async <Answer>(
    path: string,
    body?: object,
    method = body === undefined ? 'GET' : 'POST',
  ) => {
    const response = await fetch(`${gate}/.postern${path}`, {
      method,
      headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${method} ${path}: ${await response.clone().text()}`);
    return (await response.json()) as Answer;
  };
  const open: Eyes['open'] = async (path = '/', options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    watch(context, complaints);
    const page = await context.newPage();
    page.on('close', () => void context.close().catch(() => {}));
    page.setDefaultTimeout(20_000);
    await page.goto(`${gate}/.postern/console${path}`);
    return page;
  };
  let told = 0;
  return {
    browser,
    complaints,
    api,
    open,
    join: async (names, data = {}) => {
      const about = { specversion: '1.0', source: '/e2e/console', type: 'postern.person.joined.v1', data };
      const response = await fetch(`${gate}/.postern/events`, {
        method: 'POST',
        headers: { 'x-api-key': adminKey, 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(names.map((subject) => ({ ...about, id: `joins-${subject}`, subject }))),
      });
      assert.ok(response.ok, await response.text());
    },
    event: async (type, subject, data = {}) => {
      const response = await fetch(`${gate}/.postern/events?wait=enforced`, {
        method: 'POST',
        headers: { 'x-api-key': adminKey, 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify({
          specversion: '1.0',
          id: `event-${++told}`,
          source: '/e2e/console',
          type,
          subject,
          data,
        }),
      });
      assert.ok(response.ok, `${type} ${subject}: ${await response.text()}`);
    },
    person: async (name, ...roles) => {
      for (const role of roles) await api('/grants', { subject: name, role, reason: hostile });
      return { ...(await api('/keys', { owner: name, roles, reason: 'a session of a test' })), name };
    },
    signedIn: async (key, path = '/', options = {}) => {
      const page = await open(path, options);
      await page.getByRole('textbox', { name: 'API key' }).fill(key);
      await page.getByRole('button', { name: 'Sign in' }).last().click();
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
      return page;
    },
    looked: async (page, name) => {
      const before = await page.evaluate('document.documentElement.dataset.mantineColorScheme');
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor({ state: 'attached' });
        // What fades from one scheme to the other is judged when it has.
        await page.evaluate('Promise.all(document.getAnimations().map((each) => each.finished.catch(() => {})))');
        await page.screenshot({ path: join(screenshots, `${name}-${colorScheme}.png`) });
        assert.deepEqual(await found(page, axeText), [], `${name}, ${colorScheme}`);
      }
      await page.emulateMedia({ colorScheme: before === 'dark' ? 'dark' : 'light' });
      assert.equal(await page.evaluate('window.xss'), undefined, 'no foreign script has run');
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
};

const watch = (context: BrowserContext, complaints: string[]): void => {
  context.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('dialog', (dialog) => {
    complaints.push(`a dialog of a script: ${dialog.message()}`);
    void dialog.dismiss();
  });
};

/** Run in a context of the test's own: the page's policy lets no other script in. */
const found = async (page: Page, axeText: string): Promise<unknown[]> => {
  const { violations } = (await page.evaluate(
    `(() => { ${axeText}; return window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }); })()`,
  )) as { violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] };
  return violations.map(({ id, nodes }) => [id, nodes[0]?.html, nodes[0]?.failureSummary]);
};

/** A picture for the docs: small, and always of the same size. */
export const picture = async (page: Page, name: string): Promise<void> => {
  const folder = process.env['POSTERN_PICTURES'] ?? screenshots;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
};
