/** The record in a real browser: searched, opened, proven there against a pinned key, and handed out as evidence. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type DemoWorld, demoWorld } from '../world/embedded.ts';
import { type Eyes, eyesOn, type Person, skip } from './browser.ts';

/** Decisions that are searched through; the list is as long as there are. */
const decisionsMade = Number(process.env['POSTERN_CONSOLE_ROWS'] ?? 1_500);

suite('the record in the console', { skip }, () => {
  let world: DemoWorld;
  let eyes: Eyes;
  let auditor: Person;
  const vkey = async (log: string): Promise<string> =>
    (await fetch(`${world.gate}/.postern/audit/log/${log}/vkey`, { headers: { 'x-api-key': world.key } })).text();
  const verify = async (page: Page, key: string): Promise<void> => {
    await page.getByLabel(/verifier key/).fill(key);
    await page.getByRole('button', { name: 'Pin and verify' }).click();
  };

  before(async () => {
    world = await demoWorld();
    eyes = await eyesOn(world.gate, world.key);
    auditor = await eyes.person('user:bob', 'postern-auditor');
    const headers = { authorization: `Bearer ${await world.token('bob')}` };
    for (let made = 0; made < decisionsMade; made += 20)
      await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          fetch(`${world.gate}/payroll/row-${made + n}`, { headers }).then((each) => each.arrayBuffer()),
        ),
      );
  });
  after(async () => {
    await eyes?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  test('finds facts and decisions by what they are about, and an address leads to the same search', async () => {
    const page = await eyes.signedIn(auditor.key, '/record');
    await page.getByLabel('Type', { exact: true }).fill('postern.credential.issued.v1');
    await page.getByRole('cell', { name: 'credential issued' }).first().waitFor();
    await page.waitForURL(/type=postern.credential.issued.v1/);
    await eyes.looked(page, 'record-facts');
    await page.goto(`${world.gate}/.postern/console/record?log=decisions&outcome=deny&subject=user:bob`);
    await page
      .getByRole('cell', { name: /no-such-endpoint/ })
      .first()
      .waitFor();
    await eyes.looked(page, 'record-decisions');
    await page.getByLabel('Subject').fill('user:nobody');
    await page.getByText('No decision matches.').waitFor();
    await page.close();
  });

  test('a list of any length has only what is in sight in the document, and comes to its end', async (told) => {
    const page = await eyes.signedIn(auditor.key, '/record?log=decisions&subject=user:bob&outcome=deny');
    const list = page.getByRole('region', { name: 'Decisions' });
    await list.getByRole('cell').first().waitFor();
    const wanted = `row-${0}`;
    for (let tries = 0; tries < 400 + decisionsMade / 10; tries++) {
      await list.evaluate((element) => {
        element.scrollTop = element.scrollHeight;
      });
      await page.waitForTimeout(40);
      assert.ok((await list.getByRole('row').count()) < 100);
      if (
        await list
          .getByText(`/payroll/${wanted}`, { exact: false })
          .last()
          .isVisible()
          .catch(() => false)
      ) {
        const [loaded] = /[\d,.]+/.exec((await page.getByText(/match; the log has/).textContent()) ?? '') ?? [];
        assert.ok(Number(loaded?.replace(/\D/g, '')) >= decisionsMade, `${loaded}`);
        // Back up again, a screen's fifth each frame: how long the frames took is told, and not judged on a machine that is shared.
        const gaps = (await page.evaluate(`new Promise((done) => {
          const list = document.querySelector('.virtual');
          const gaps = [];
          let last = performance.now();
          const step = (now) => {
            gaps.push(now - last);
            last = now;
            list.scrollTop -= 180;
            if (gaps.length < 300) requestAnimationFrame(step);
            else done(gaps.sort((a, b) => a - b));
          };
          requestAnimationFrame(step);
        })`)) as number[];
        const at = (share: number) => Math.round(gaps[Math.floor(gaps.length * share)] ?? 0);
        told.diagnostic(`${loaded} rows: a frame took ${at(0.5)} ms at the median, ${at(0.95)} ms at p95`);
        return page.close();
      }
    }
    assert.fail('the end never came into sight');
  });

  test('proves a fact in the browser against the pinned key, then that the log has only grown, and takes no other key', async () => {
    const page = await eyes.signedIn(auditor.key, '/record/3');
    await page.waitForURL(/\/record\/facts\/3$/);
    await verify(page, await vkey('facts'));
    await page.getByText('Proven', { exact: true }).waitFor();
    await page.getByText(/first head of the log that this browser has seen/).waitFor();
    await eyes.looked(page, 'record-proven');
    await eyes.api('/roles/later', { allows: [{ endpoint: 'payroll/listEmployees' }] }, 'PUT');
    await page.waitForTimeout(1_500);
    await page.getByRole('button', { name: 'Pin and verify' }).click();
    await page.getByText(/has only grown since this browser looked last: from \d+ to \d+ entries/).waitFor();
    await verify(page, await vkey('decisions'));
    await page.getByText('Not proven').waitFor();
    await page.close();
  });

  test('notices a log that does not go on from the head that this browser has seen', async () => {
    const page = await eyes.signedIn(auditor.key, '/record/facts/3');
    await verify(page, await vkey('facts'));
    await page.getByText('Proven', { exact: true }).waitFor();
    // A head of another history, signed by the same key, as a server with two faces would have given to somebody else.
    await page.route('**/log/facts/consistency*', async (route) => {
      const response = await route.fetch();
      const text = await response.text();
      const lines = text.split('\n');
      lines[1] = lines[1] === '' ? lines[1] : Buffer.alloc(32, 7).toString('base64');
      await route.fulfill({ response, body: lines.join('\n') });
    });
    await eyes.api('/roles/later-still', { allows: [{ endpoint: 'payroll/listEmployees' }] }, 'PUT');
    await page.waitForTimeout(1_500);
    await page.getByRole('button', { name: 'Pin and verify' }).click();
    await page.getByText('Not proven').waitFor();
    await page.close();
  });

  test('refuses bytes that the server has changed', async () => {
    const page = await eyes.signedIn(auditor.key, '/now');
    await page.route('**/log/facts/entry/2', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace('{', '{ ') });
    });
    await page.goto(`${world.gate}/.postern/console/record/facts/3`);
    await verify(page, await vkey('facts'));
    await page.getByText('Not proven').waitFor();
    await page.close();
  });

  test('proves a decision: what is shown of it is read from the proven bytes, and changed ones are refused', async () => {
    const page = await eyes.signedIn(auditor.key, '/record?log=decisions&subject=user:bob&outcome=deny');
    await page.getByRole('region', { name: 'Decisions' }).getByRole('link').first().click();
    await page.getByRole('heading', { name: /Decision/ }).waitFor();
    await page.locator('.bytes mark').waitFor();
    await verify(page, await vkey('decisions'));
    await page.getByText('Proven', { exact: true }).waitFor();
    await eyes.looked(page, 'record-decision');
    await page.getByRole('link', { name: 'Why it was refused' }).click();
    await page.getByText('no-such-endpoint').first().waitFor();
    await page.route('**/log/decisions/entry/*', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll('"deny"', '"allow"') });
    });
    await page.goBack();
    await page.reload();
    await verify(page, await vkey('decisions'));
    await page.getByText('Not proven').waitFor();
    await page.close();
  });

  test('hands out what is shown as an evidence bundle', async () => {
    const page = await eyes.signedIn(auditor.key, '/record/facts/3');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Evidence bundle' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'evidence-facts.zip');
    const bytes = await readFile(await download.path());
    assert.equal(bytes.subarray(0, 2).toString(), 'PK');
    assert.ok(bytes.includes('entries/facts/2.json'));
    await page.close();
  });

  test('breaks its own policy nowhere', () => assert.deepEqual(eyes.complaints, []));
});
