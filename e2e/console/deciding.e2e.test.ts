/** Deciding, in a real browser: by each who does it, with what they see kept as pictures; and what goes wrong on the way. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type DemoWorld, demoWorld } from '../world/embedded.ts';
import {
  console390,
  type Eyes,
  eyesOn,
  hostile,
  hostileTexts,
  type Person,
  picture,
  scripts,
  skip,
} from './browser.ts';

/** More than is in sight; `POSTERN_REVIEWED=1000` for an afternoon's work. */
const reviewed = Number(process.env['POSTERN_REVIEWED'] ?? 80);

suite('deciding', { skip }, () => {
  let world: DemoWorld;
  let eyes: Eyes;
  let engineer: Person;
  let manager: Person;
  let onCall: Person;

  const grantsOf = async (subject: string, role: string): Promise<number> =>
    (await eyes.api<{ items: unknown[] }>(`/grants?subject=${encodeURIComponent(subject)}&role=${role}`)).items.length;
  const press = async (page: Page, ...keys: readonly string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const marked = (page: Page) => page.getByText(/\d+ of \d+ marked/);

  before(async () => {
    world = await demoWorld();
    eyes = await eyesOn(world.gate, world.key);
    for (const [name, data] of [
      ['lea', {}],
      ['max', { manager: 'user:lea' }],
      ['sue', { manager: 'user:lea' }],
    ] as const)
      await eyes.event('postern.person.joined.v1', `user:${name}`, data);
    await eyes.api(
      '/roles/on-call',
      { allows: [{ endpoint: 'payroll/followPayroll' }], description: 'Carries the pager' },
      'PUT',
    );
    await eyes.api(
      '/roles/payroll-corrections',
      {
        description: 'Corrects what was booked wrong',
        allows: [{ service: 'payroll', access: 'write' }],
        maxDuration: '8h',
        approvers: ['manager'],
      },
      'PUT',
    );
    await eyes.api(
      '/roles/payroll-repair',
      {
        description: 'Repairs the payroll when it is down',
        allows: [{ service: 'payroll', access: 'admin' }],
        breakGlass: { for: ['role:on-call'], maxDuration: '30m', reviewers: ['manager'] },
      },
      'PUT',
    );
    engineer = await eyes.person('user:max', 'postern-member');
    manager = await eyes.person('user:lea', 'postern-member');
    await eyes.api('/grants', { subject: 'user:sue', role: 'on-call', reason: 'on the rota' });
    onCall = await eyes.person('user:sue', 'postern-member');
  });
  after(async () => {
    await eyes?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  test('an engineer asks for a role, is told what happens next, and takes the question back', async () => {
    const page = await eyes.signedIn(engineer.key, '/deciding/ask');
    const role = page.getByRole('group', { name: 'payroll-corrections' });
    await role.getByRole('button', { name: 'Ask' }).click();
    assert.equal(await role.getByRole('button', { name: 'Ask for' }).isDisabled(), true, 'without a reason');
    await role.getByLabel('Why you need it').fill('October was booked twice');
    await role.getByLabel('Ticket').fill('OPS-17');
    await role.getByLabel('For how long').fill('2h');
    await picture(page, 'engineer-asks');
    await eyes.looked(page, 'deciding-ask');
    await role.getByRole('button', { name: 'Ask for' }).click();
    await page.getByText('You asked for payroll-corrections. Now manager decides').waitFor();
    await role.getByText('asked', { exact: true }).waitFor();
    assert.equal(await role.getByRole('button', { name: 'Ask' }).count(), 0, 'no button that would be refused');
    await page.getByRole('navigation', { name: 'Deciding' }).getByRole('link', { name: 'Yours' }).click();
    await page.getByText('Nobody has said yes yet; manager may.').waitFor();
    await eyes.looked(page, 'deciding-mine');
    await page.close();
  });

  test('a manager says yes on a telephone, with a reason, and hears that it holds at the gate', async () => {
    const page = await eyes.signedIn(manager.key, '/deciding', console390);
    const request = page.getByRole('group', { name: 'user:max asks for payroll-corrections' });
    assert.equal(await request.getByRole('button', { name: 'Approve' }).isDisabled(), true, 'without a reason');
    await request.getByLabel('Your reason').fill('he found the mistake');
    await picture(page, 'manager-approves');
    await eyes.looked(page, 'deciding-approve-narrow');
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    assert.ok((wide as number) <= 390, `${wide} px wide`);
    await request.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('user:max holds payroll-corrections now, at the gate, until').waitFor();
    assert.equal(await grantsOf('user:max', 'payroll-corrections'), 1);
    await page.close();
  });

  test('whoever is on call breaks the glass, is reminded on every page, gives it back; the manager judges it', async () => {
    const page = await eyes.signedIn(onCall.key, '/deciding/ask');
    await page.getByRole('group', { name: 'payroll-repair' }).getByRole('button', { name: 'Break glass' }).click();
    const dialog = page.getByRole('dialog', { name: 'Break the glass for payroll-repair' });
    assert.equal(await dialog.getByRole('button', { name: 'Break the glass' }).isDisabled(), true, 'without a reason');
    await dialog.getByLabel('What the emergency is').fill('nobody is paid, and it is the 30th');
    await eyes.looked(page, 'break-glass');
    await picture(page, 'on-call-breaks-glass');
    await dialog.getByRole('button', { name: 'Break the glass' }).click();
    await page.getByText(/you hold payroll-repair for another/).waitFor();
    assert.match((await page.locator('.open-glass .left').textContent()) ?? '', /^(30:00|29:[0-5]\d)$/);
    assert.equal(await grantsOf('user:sue', 'payroll-repair'), 1);
    await eyes.looked(page, 'broken-glass');
    await page.getByRole('button', { name: 'Give it back' }).click();
    await page.getByText('You gave it back.').waitFor();
    assert.equal(await grantsOf('user:sue', 'payroll-repair'), 0);
    await page.close();
    const judging = await eyes.signedIn(manager.key, '/deciding');
    const use = judging.getByRole('group', { name: 'user:sue took payroll-repair in an emergency' });
    await use.getByLabel('What you found').fill('it was down indeed');
    await eyes.looked(judging, 'break-glass-judged');
    await use.getByRole('button', { name: 'Justified', exact: true }).click();
    await judging.getByText('You found that user:sue was right').waitFor();
    const left = await eyes.api<{ items: unknown[] }>('/breakglass?unreviewed=true');
    assert.deepEqual(left.items, []);
    await judging.close();
  });

  test(`a campaign of ${reviewed} is decided by the keyboard alone, undone where it was wrong, and enforced when it is sent`, async () => {
    await eyes.api(
      '/roles/reports',
      { allows: [{ endpoint: 'payroll/listEmployees' }], description: 'Reads reports' },
      'PUT',
    );
    const names = Array.from({ length: reviewed }, (_, at) => `user:p${String(at).padStart(3, '0')}`);
    const [first = '', second = '', third = '', fourth = ''] = names;
    await eyes.join(names, { manager: 'user:lea' });
    for (const name of names) await eyes.api('/grants', { subject: name, role: 'reports', reason: 'started here' });
    const { id } = await eyes.api('/reviews', {
      title: 'Q4: who reads reports',
      scope: { role: 'reports' },
      undecided: 'keep',
    });
    const page = await eyes.signedIn(manager.key, `/deciding/reviews/${id}`);
    const list = page.getByRole('listbox', { name: 'What you decide about' });
    await list.waitFor();
    assert.ok((await list.getByRole('option').count()) < 40, 'only what is in sight is in the document');
    await list.focus();
    // The first is kept for a reason, the second for the same one; the third is revoked, and then taken back.
    await press(page, 'y');
    await page.keyboard.type('still needs it');
    await press(page, 'Enter', 'Shift+Y', 'r');
    await page.keyboard.type('a slip');
    await press(page, 'Enter');
    await page.getByText(`3 of ${reviewed} marked`).waitFor();
    await press(page, 'u');
    await page.getByText(`2 of ${reviewed} marked`).waitFor();
    // Back to the third; it and the fourth at once.
    await press(page, 'k', 'x', 'j', 'x', 'r');
    await page.keyboard.type(hostile);
    await press(page, 'Enter');
    await page.getByText(`4 of ${reviewed} marked`).waitFor();
    await picture(page, 'manager-reviews');
    await eyes.looked(page, 'review');
    // All the others: selected by what they hold, and kept for the reason that was given before.
    await page.reload();
    await page.getByText(`4 of ${reviewed} marked`).waitFor();
    await list.focus();
    await press(page, 'End', 'k', 'j', 'x', 'Home', 'j', 'j', 'j', 'j', 'Shift+X', 'Shift+Y');
    await page.getByText(`${reviewed} of ${reviewed} marked`).waitFor();
    await press(page, 'Control+Enter');
    const last = page.getByRole('dialog', { name: 'Send your decisions' });
    await last.getByText('2 are revoked').waitFor();
    await eyes.looked(page, 'review-send');
    await press(page, 'Enter');
    await page.getByText(`Decided: ${reviewed - 2} kept, 2 revoked, 0 shortened. It holds at the gate.`).waitFor();
    for (const [name, held] of [
      [first, 1],
      [second, 1],
      [third, 0],
      [fourth, 0],
    ] as const)
      assert.equal(await grantsOf(name, 'reports'), held, name);
    await page.getByText('Nothing here waits for you').waitFor();
    await page.close();
  });

  test('a decision that somebody else has made meanwhile is refused, and the others stay marked', async () => {
    const { id } = await eyes.api('/reviews', { title: 'again', scope: { role: 'reports' }, undecided: 'keep' });
    const [page, other] = [
      await eyes.signedIn(manager.key, `/deciding/reviews/${id}?find=p02`),
      await eyes.signedIn(manager.key, `/deciding/reviews/${id}?find=p029`),
    ];
    for (const [each, keys] of [
      [page, ['a', 'y']],
      [other, ['y']],
    ] as const) {
      await each.getByRole('listbox').focus();
      await press(each, ...keys);
      await each.keyboard.type('fine');
      await press(each, 'Enter');
      await marked(each).waitFor();
    }
    await press(other, 'Control+Enter', 'Enter');
    await other.getByText('Decided: 1 kept').waitFor();
    await page.getByText(/^10 of|^9 of/).waitFor();
    await press(page, 'Control+Enter', 'Enter');
    await page
      .getByText(/Decided: 9 kept|has been decided about/)
      .first()
      .waitFor();
    await Promise.all([page.close(), other.close()]);
  });

  test('hostile text is text in every field, and names in any script are read as they were written', async () => {
    for (const [at, text] of hostileTexts.entries()) {
      const asked = await fetch(`${world.gate}/.postern/requests`, {
        method: 'POST',
        headers: { 'x-api-key': engineer.key, 'content-type': 'application/json' },
        body: JSON.stringify({ role: `hostile-${at}`, reason: text, ticket: text.slice(0, 200), duration: '1h' }),
      });
      if (asked.status === 422) {
        await eyes.api(
          `/roles/hostile-${at}`,
          { description: text, allows: [{ endpoint: 'payroll/getPayslip' }], approvers: ['manager'] },
          'PUT',
        );
        await fetch(`${world.gate}/.postern/requests`, {
          method: 'POST',
          headers: { 'x-api-key': engineer.key, 'content-type': 'application/json' },
          body: JSON.stringify({ role: `hostile-${at}`, reason: text, ticket: text.slice(0, 200), duration: '1h' }),
        });
      }
    }
    const people = await Promise.all(
      scripts.map(async (name, at) => {
        const id = `user:${[...new TextEncoder().encode(name)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')}`;
        await eyes.event('postern.person.joined.v1', id, { manager: 'user:lea' });
        await eyes.api('/grants', { subject: id, role: 'reports', reason: `${name} ${at}` });
        return { id, name };
      }),
    );
    const { id } = await eyes.api('/reviews', {
      title: scripts.join(' · '),
      scope: { manager: 'user:lea', role: 'reports' },
      undecided: 'keep',
    });
    const page = await eyes.signedIn(manager.key, '/deciding');
    for (const text of hostileTexts) await page.locator('blockquote', { hasText: text }).first().waitFor();
    await eyes.looked(page, 'hostile-inbox');
    const asking = await eyes.signedIn(engineer.key, '/deciding/ask?find=hostile');
    await asking
      .getByText(hostileTexts[1] ?? '')
      .first()
      .waitFor();
    await eyes.looked(asking, 'hostile-ask');
    await asking.goto(`${world.gate}/.postern/console/deciding/mine`);
    await asking.getByText('hostile-1').first().waitFor();
    await eyes.looked(asking, 'hostile-mine');
    await page.goto(
      `${world.gate}/.postern/console/deciding/reviews/${id}?find=${encodeURIComponent(scripts[0] ?? '')}`,
    );
    const shown = page.getByRole('listbox', { name: 'What you decide about' }).getByRole('option');
    await shown.first().waitFor();
    assert.equal(await shown.count(), 1);
    await page.goto(`${world.gate}/.postern/console/deciding/reviews/${id}?order=given`);
    await page.getByRole('listbox').focus();
    await press(page, 'End');
    await page
      .getByText(scripts[0] ?? '')
      .last()
      .waitFor();
    await eyes.looked(page, 'scripts');
    assert.equal(people.length, scripts.length);
    await Promise.all([page.close(), asking.close()]);
  });

  test('a gate that is away or slow is spoken of, nothing that was typed is lost, and a lost answer is not carried out twice', async () => {
    await eyes.api('/roles/away', { allows: [{ endpoint: 'payroll/getPayslip' }], approvers: ['manager'] }, 'PUT');
    const page = await eyes.signedIn(engineer.key, '/deciding/ask?role=away');
    await page.getByLabel('Why you need it').fill('the line was cut while I typed');
    // The request arrives and is carried out; its answer does not come back.
    let lost = 0;
    await page.route('**/.postern/requests?wait=enforced', async (route) => {
      if (lost++ > 0) return route.continue();
      await route.fetch();
      return route.abort();
    });
    await page.getByRole('button', { name: 'Ask for away' }).click();
    await page.getByText('It was not asked').waitFor();
    await page.getByText('What you typed is still there.').waitFor();
    await page.context().setOffline(true);
    await page.getByText('The gate cannot be reached.', { exact: false }).first().waitFor({ timeout: 40_000 });
    await eyes.looked(page, 'gate-away');
    await page.context().setOffline(false);
    await page.reload();
    assert.equal(lost, 1);
    const { asked } = (await (
      await fetch(`${world.gate}/.postern/requests/mine`, { headers: { 'x-api-key': engineer.key } })
    ).json()) as { asked: { role: string }[] };
    assert.equal(asked.filter(({ role }) => role === 'away').length, 1);
    await page.close();
  });

  test('whoever may nothing is told what would help', async () => {
    await eyes.event('postern.person.joined.v1', 'user:new');
    const nobody = await eyes.person('user:new', 'payroll-reader');
    const page = await eyes.signedIn(nobody.key);
    await page.getByText('None of these pages is yours to see').waitFor();
    await eyes.looked(page, 'nothing-yet');
    await page.close();
  });

  test('breaks its own policy nowhere', () => assert.deepEqual(eyes.complaints, []));
});
