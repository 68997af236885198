/** The console where every room is a process of its own and there are two gates: one session, at both, and ended at both. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { distributedWorld } from '../world/distributed.ts';
import { type OpenIdProvider, startOpenIdProvider } from '../world/openid-provider.ts';
import { eyesOn, skip } from './browser.ts';
import { issuerOf, signInAs } from './sign-in.ts';

suite('the console in the distributed world', { skip }, () => {
  test('somebody signs in at one gate, asks; is answered at the other; and signing out ends it at both', async () => {
    await using stack = new AsyncDisposableStack();
    let provider: OpenIdProvider | undefined;
    const world = stack.use(
      await distributedWorld({
        console: {
          issuers: async (gates) => {
            provider = await startOpenIdProvider({
              redirectUris: gates.map((gate) => `${gate}/.postern/console/signed-in`),
            });
            return [issuerOf(provider.url)];
          },
        },
      }),
    );
    if (provider !== undefined) stack.use(provider);
    const [first = '', second = ''] = world.gates;
    const [here, there] = [stack.use(await eyesOn(first, world.key)), stack.use(await eyesOn(second, world.key))];
    await here.event('postern.person.joined.v1', 'user:lea');
    await here.event('postern.person.joined.v1', 'user:max', { manager: 'user:lea' });
    await here.api(
      '/roles/payslips?wait=enforced',
      { allows: [{ endpoint: 'payroll/getPayslip' }], approvers: ['manager'] },
      'PUT',
    );
    for (const subject of ['user:lea', 'user:max'])
      await here.api('/grants?wait=enforced', { subject, role: 'postern-member', reason: 'may ask' });
    const lea = await there.api('/keys?wait=enforced', {
      owner: 'user:lea',
      roles: ['postern-member'],
      reason: 'a test',
    });

    const asking = await here.open('/deciding/ask?role=payslips');
    await signInAs(asking, 'max');
    await asking.getByLabel('Why you need it').fill('a question about October');
    await asking.getByRole('button', { name: 'Ask for payslips' }).click();
    await asking.getByText('You asked for payslips.').waitFor();

    const answering = await there.signedIn(lea.key, '/deciding');
    const request = answering.getByRole('group', { name: 'user:max asks for payslips' });
    await request.getByLabel('Your reason').fill('fine');
    await request.getByRole('button', { name: 'Approve' }).click();
    await answering.getByText('user:max holds payslips now, at all 2 gates, until').waitFor();

    const cookies = await asking.context().cookies(`${first}/.postern/`);
    const session = cookies.find(({ name }) => name === 'postern_session')?.value ?? '';
    const asked = (gate: string) =>
      fetch(`${gate}/.postern/requests/mine`, {
        headers: { cookie: `postern_session=${session}`, 'postern-console': '1' },
      }).then(({ status }) => status);
    assert.deepEqual([await asked(first), await asked(second)], [200, 200]);
    await asking.getByRole('button', { name: 'Sign out' }).click();
    await asking.getByRole('button', { name: /Sign in with the test/ }).waitFor();
    assert.deepEqual([await asked(first), await asked(second)], [401, 401]);
    assert.deepEqual([...here.complaints, ...there.complaints], []);
  });
});
