/** What the console shows, in a real browser against a started product: now, access, time, the model. Each page is looked at, and axe-core finds nothing. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type DemoWorld, demoWorld } from '../world/embedded.ts';
import { type Eyes, eyesOn, hostile, type Person, skip } from './browser.ts';
import { preview } from './preview-file.ts';

suite('what the console shows', { skip }, () => {
  let world: DemoWorld;
  let eyes: Eyes;
  let auditor: Person;

  const call = async (who: string | undefined, path: string, method = 'GET'): Promise<number> => {
    const headers = who === undefined ? {} : { authorization: `Bearer ${await world.token(who)}` };
    return (await fetch(`${world.gate}${path}`, { method, headers })).status;
  };
  const hr = (id: string, type: string, subject: string, data: object) =>
    fetch(`${world.gate}/.postern/events?wait=enforced`, {
      method: 'POST',
      headers: { 'x-api-key': world.key, 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({ specversion: '1.0', id, source: '/hr', type, subject, data }),
    }).then(async (response) => assert.ok(response.ok, await response.text()));
  /** Until as much is signed: what the past is asked of. */
  const sealed = async (sequence: number): Promise<void> => {
    for (;;) {
      const { logs } = await eyes.api<{ logs: { facts: { sealed: number } } }>('/audit/pulse');
      if (logs.facts.sealed >= sequence) return;
    }
  };
  const at = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);

  before(async () => {
    world = await demoWorld();
    eyes = await eyesOn(world.gate, world.key);
    auditor = await eyes.person('user:bob', 'postern-auditor');
    await eyes.api('/roles/odd', { description: hostile, allows: [{ endpoint: 'payroll/changeSalary' }] }, 'PUT');
    await call('bob', '/payroll/employees');
    await call('bob', '/payroll/employees/42', 'PATCH');
    await call('bob', `/payroll/${encodeURIComponent(hostile)}`);
    await call(undefined, '/payroll/employees');
  });
  after(async () => {
    await eyes?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  test('is below 300 KB on the wire until the first page is there, with its plots', async (told) => {
    // A browser that has been here before has most of it: so a new one.
    const page = await eyes.browser.newPage();
    let bytes = 0;
    const counting: Promise<void>[] = [];
    page.on('response', (response) => {
      if (!/\/console\/(assets\/|$|now)/.test(response.url())) return;
      counting.push(
        response
          .request()
          .sizes()
          .then((sizes) => {
            bytes += sizes.responseBodySize;
          }),
      );
    });
    await page.goto(`${world.gate}/.postern/console/now`);
    await page.getByRole('textbox', { name: 'API key' }).fill(auditor.key);
    await page.getByRole('button', { name: 'Sign in' }).last().click();
    await page.locator('figure canvas').first().waitFor();
    await Promise.all(counting);
    assert.ok(counting.length > 3 && bytes > 100_000, `${counting.length} files were counted`);
    assert.ok(bytes < 300_000, `${bytes} bytes`);
    told.diagnostic(`the first look: ${bytes} bytes in ${counting.length} files`);
    await page.close();
  });

  test('shows at a glance what is decided and refused, why, and the grant that comes nearest', async () => {
    const page = await eyes.signedIn(auditor.key, '/now');
    const causes = page.locator('.causes');
    await causes.getByText(/no-grant at payroll\/changeSalary/).waitFor();
    await causes
      .getByRole('link', { name: /^(odd|payroll-writer)$/ })
      .first()
      .waitFor();
    await page
      .getByText(/serving/)
      .first()
      .waitFor();
    assert.match((await page.locator('figure').first().textContent()) ?? '', /refused/);
    await eyes.looked(page, 'now');
    await causes.getByRole('button', { name: 'Show no-grant at payroll/changeSalary' }).click();
    await page
      .getByRole('cell', { name: /no-grant/ })
      .first()
      .waitFor();
    assert.equal(at(page, 'reason'), 'no-grant');
    await page.close();
  });

  test('follows decisions as they are made, and goes on where the connection broke off, without a gap or a repetition', async () => {
    const page = await eyes.signedIn(auditor.key, '/now?outcome=deny&subject=user:carol');
    await page.getByText('live', { exact: true }).waitFor();
    const rows = () => page.getByRole('cell', { name: /followed-/ });
    await call('carol', '/payroll/followed-1');
    await page.getByRole('cell', { name: /followed-1/ }).waitFor();
    await page.context().setOffline(true);
    await page
      .getByText('broken off, trying again')
      .or(page.getByText('live', { exact: true }))
      .first()
      .waitFor();
    for (const each of [2, 3, 4]) await call('carol', `/payroll/followed-${each}`);
    await page.context().setOffline(false);
    await page.getByRole('cell', { name: /followed-4/ }).waitFor();
    assert.deepEqual(
      (await rows().allTextContents()).map((text) => text.slice(-1)),
      ['4', '3', '2', '1'],
    );
    await page.close();
  });

  test('finds a role by part of its name with the keyboard alone', async () => {
    const page = await eyes.signedIn(auditor.key, '/access');
    await page
      .getByLabel(/Subject, group, role/)
      .first()
      .focus();
    await page.keyboard.type('payroll-re');
    await page.getByRole('option', { name: /payroll-reader/ }).waitFor();
    await eyes.looked(page, 'access-search');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText(/it opens \d+ endpoints/).waitFor();
    assert.equal(at(page, 'about'), 'role:payroll-reader');
    await eyes.looked(page, 'access-role');
    await page.close();
  });

  test('draws the ways of access, tells of each grant who gave it, why and by which fact, and says the same as a list', async () => {
    const page = await eyes.signedIn(auditor.key, '/access?about=user%3Abob');
    await page.locator('.react-flow__node').first().waitFor();
    // By Tab and Enter, as somebody without a mouse would.
    await page.locator('.react-flow__edge.grant[tabindex="0"]').first().focus();
    await page.keyboard.press('Enter');
    await page
      .locator('.told')
      .getByText(/granted by/)
      .waitFor();
    assert.ok(
      (await page.locator('.path .edge', { hasText: hostile }).count()) > 0,
      'the reason stands there to the letter',
    );
    await eyes.looked(page, 'access-ways');
    await page
      .locator('.told')
      .getByRole('link', { name: /^fact \d+$/ })
      .click();
    await page.getByRole('heading', { name: /Fact \d+: grant issued/ }).waitFor();
    await page.close();
  });

  test('looks at the past by the slider, and the address holds the moment', async () => {
    const page = await eyes.signedIn(auditor.key, '/access?about=user%3Abob');
    await page
      .getByText(/can call/)
      .first()
      .waitFor();
    await page.getByRole('slider').focus();
    await page.keyboard.press('Home');
    await page.getByText('user:bob could call nothing.').waitFor();
    assert.equal(at(page, 'at'), '1');
    await page.reload();
    await page.getByText('user:bob could call nothing.').waitFor();
    await page.getByRole('link', { name: 'Matrix' }).click();
    assert.equal(at(page, 'at'), '1', 'the moment goes along');
    await page.close();
  });

  test('says why a call is refused, now and at a past moment', async () => {
    const grant = await eyes.api<{ id: string; sequence: number }>('/grants', {
      subject: 'user:carol',
      role: 'payroll-reader',
      reason: 'for a day',
    });
    await sealed(grant.sequence);
    const page = await eyes.signedIn(
      auditor.key,
      `/access/why?subject=user:carol&method=PATCH&path=/payroll/employees/42`,
    );
    await page.getByText('deny', { exact: true }).waitFor();
    await page
      .getByText(/does not hold/)
      .first()
      .waitFor();
    await eyes.looked(page, 'access-why');
    await page.goto(
      `${world.gate}/.postern/console/access/why?subject=user:carol&method=GET&path=/payroll/employees&at=${grant.sequence}`,
    );
    await page.getByText('allow', { exact: true }).waitFor();
    await eyes.api(`/grants/${grant.id}?wait=enforced`, { reason: 'the day is over' }, 'DELETE');
    await page.close();
  });

  test('shows the difference between two moments: who gained what, by which fact and for which reason', async () => {
    const { sequence } = await eyes.api<{ sequence: number }>('/grants', {
      subject: 'user:dave',
      role: 'odd',
      reason: hostile,
      ticket: 'T-7',
    });
    await sealed(sequence);
    const page = await eyes.signedIn(auditor.key, `/time/difference?from=${sequence - 1}&to=${sequence}`);
    await page.getByText('user:dave', { exact: true }).first().waitFor();
    const gained = page.getByRole('region', { name: 'Gained' });
    await gained.getByText('payroll/changeSalary').waitFor();
    assert.match((await gained.textContent()) ?? '', /ticket T-7/);
    assert.ok(((await gained.textContent()) ?? '').includes(hostile));
    await eyes.looked(page, 'time-difference');
    await page.close();
  });

  test('tells a life from joining to leaving', async () => {
    await hr('zoe-1', 'postern.person.joined.v1', 'user:zoe', { department: 'finance' });
    await hr('zoe-2', 'postern.person.left.v1', 'user:zoe', { reason: 'resigned' });
    const page = await eyes.signedIn(auditor.key, '/time/life?subject=user:zoe');
    await page.getByText(/principal left/).waitFor();
    const told = await page.locator('.mantine-Timeline-item').allInnerTexts();
    assert.match(told[0] ?? '', /principal joined/);
    assert.ok(told.some((each) => /grant issued\s*role payroll-reader/i.test(each)));
    await eyes.looked(page, 'time-life');
    await page.goto(`${world.gate}/.postern/console/time`);
    await page
      .getByRole('cell', { name: /principal left/ })
      .first()
      .waitFor();
    await eyes.looked(page, 'time');
    await page.close();
  });

  test('shows roles and routes with their use and what nobody uses, sorted by any head, and the schema', async () => {
    const page = await eyes.signedIn(auditor.key, '/model');
    await page
      .getByRole('cell', { name: /dormant/i })
      .first()
      .waitFor();
    await page.getByRole('button', { name: /^Opens/ }).click();
    await page
      .getByRole('columnheader', { name: /^Opens/ })
      .and(page.locator('[aria-sort]'))
      .waitFor();
    await eyes.looked(page, 'model');
    await page.getByRole('tab', { name: /Routes/ }).click();
    await page.getByLabel('Only with').fill('listEmpl');
    await page.getByRole('link', { name: 'payroll/listEmployees' }).waitFor();
    await page.getByRole('tab', { name: 'Schema' }).click();
    await page
      .getByText(/definition/)
      .first()
      .waitFor();
    await eyes.looked(page, 'model-schema');
    await page.close();
  });

  test('shows the outcome of a preview as before and after, and says of another file that it is none', async () => {
    const page = await eyes.signedIn(auditor.key, '/model/preview');
    const choose = async (name: string, text: string) =>
      page.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
    await choose('odd.json', '{"verdict":7}');
    await page.getByText('odd.json cannot be shown').waitFor();
    await choose('preview.json', JSON.stringify(preview));
    await page.getByText('1 caller would gain access').waitFor();
    assert.deepEqual(await page.locator('.before-after li').allInnerTexts(), ['refused', 'allowed']);
    await eyes.looked(page, 'model-preview');
    await page.close();
  });

  test('keeps a matrix of 200 services and 200 roles readable, in the document by what is in sight, and walked with the keys', async () => {
    const { schema, services, roles } = await eyes.api<{
      schema: string;
      services: { name: string }[];
      roles: { role: string; grants: number; fromFiles: boolean; description?: string; allows: unknown }[];
    }>('/model');
    const more = Array.from({ length: 200 }, (_, n) => ({
      name: `service-${n}`,
      mount: `/service-${n}`,
      endpoints: [{ id: `service-${n}/read`, method: 'GET', template: '/things', access: 'read' }],
    }));
    await eyes.api('/model', {
      schema,
      services: [...services.filter(({ name }) => name !== 'postern'), ...more],
      roles: {
        ...Object.fromEntries(
          roles
            .filter(({ role }) => !role.startsWith('postern-') && role !== 'odd')
            .map(({ role, grants: _, fromFiles: __, ...rules }) => [role, rules]),
        ),
        ...Object.fromEntries(
          Array.from({ length: 200 }, (_, n) => [
            `role-${n}`,
            { allows: [{ service: `service-${n}`, access: 'read' }] },
          ]),
        ),
      },
    });
    const page = await eyes.signedIn(auditor.key, '/access/matrix?service=service-&role=role-');
    await page.getByText('200 services × 200 roles').waitFor();
    const cells = page.getByRole('gridcell');
    await cells.first().waitFor();
    assert.ok((await cells.count()) < 2_000, 'of 40,000 cells');
    await cells.first().focus();
    await page.keyboard.press('End');
    for (let press = 0; press < 20; press++) await page.keyboard.press('PageDown');
    await page.getByText('role-199 on service-199: opens 1 of 1 endpoints, by read').waitFor();
    assert.equal(
      await page.evaluate('document.activeElement.getAttribute("aria-label")'),
      'role-199 on service-199: opens 1 of 1 endpoints, by read',
    );
    assert.ok(await page.getByRole('rowheader', { name: 'service-199' }).isVisible(), 'the head of the row stays');
    assert.ok(await page.getByRole('columnheader', { name: 'role-199' }).isVisible(), 'and of the column');
    await eyes.looked(page, 'access-matrix');
    await page.close();
  });

  test('breaks its own policy nowhere', () => assert.deepEqual(eyes.complaints, []));
});
