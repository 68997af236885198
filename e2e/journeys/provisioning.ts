/** Joiners, movers and leavers as an identity system provisions them: in whatever world, with the profiles wherever they are kept there. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CallOptions, World } from '../world/world.ts';
import { change, enforced, isRefused, joined, passes } from './expectations.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0:';
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const employees = '/payroll/employees';
const payslip = '/payroll/payslips/7';
type Resource = Readonly<Record<string, unknown>> & { readonly meta?: { readonly version: string } };

export const provisioningJourneys = (world: () => World): void => {
  describe('provisioning by SCIM', () => {
    let key: string | undefined;
    /** The identity system is a machine with one role. */
    const scim = async (method: string, path: string, status: number, body?: object, more: CallOptions = {}) => {
      const w = world();
      if (key === undefined) {
        await enforced(w, joined('workload:idp-connector'));
        const owner = 'workload:idp-connector';
        const reason = 'provisions';
        await change(w, 'POST', '/grants', { subject: owner, role: 'postern-provisioner', reason }, 201);
        const made = await change(w, 'POST', '/keys', { owner, roles: ['postern-provisioner'], reason }, 201);
        key = String(made.body['key']);
      }
      const answer = await w.call(`/.postern/scim/v2${path}`, {
        as: { key },
        ...more,
        method,
        headers: { 'content-type': 'application/scim+json', ...more.headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
      return answer.body as Resource;
    };
    const patch = (...Operations: readonly object[]) => ({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations,
    });
    const userOf = (id: string, department: string) => ({
      schemas: [`${core}User`, enterprise],
      externalId: id,
      userName: `${id}@corp.test`,
      name: { givenName: 'Uma', familyName: 'Thorn' },
      active: true,
      [enterprise]: { department },
    });
    const as = async (id: string) => ({ as: { token: await world().token(id) } });
    const desks = async (): Promise<void> => {
      const w = world();
      await change(
        w,
        'PUT',
        '/roles/scim-desk-east',
        { allows: [{ endpoint: 'payroll/listEmployees' }], birthright: { department: 'east' } },
        201,
      );
      await change(
        w,
        'PUT',
        '/roles/scim-desk-west',
        { allows: [{ endpoint: 'payroll/getPayslip' }], birthright: { department: 'west' } },
        201,
      );
    };
    let made: Promise<void> | undefined;
    const hasDesks = (): Promise<void> => {
      made ??= desks();
      return made;
    };

    test('a joiner gets the birthright, a mover the new one in place of the old, a leaver nothing, at every gate when it is answered', async () => {
      await hasDesks();
      const w = world();
      const uma = await as('uma');
      await isRefused(w, employees, uma);
      await scim('POST', '/Users?wait=enforced', 201, userOf('uma', 'east'));
      await passes(w, employees, uma);
      await isRefused(w, payslip, uma);
      const moves = patch({ op: 'replace', path: `${enterprise}:department`, value: 'west' });
      await scim('PATCH', '/Users/uma?wait=enforced', 200, moves);
      await passes(w, payslip, uma);
      await isRefused(w, employees, uma);
      await scim('PATCH', '/Users/uma?wait=enforced', 200, patch({ op: 'Replace', value: { active: false } }));
      await isRefused(w, payslip, uma);
      await isRefused(w, employees, uma);
      assert.equal((await scim('GET', '/Users/uma', 200))['active'], false);
      await scim('DELETE', '/Users/uma?wait=enforced', 204);
      await scim('GET', '/Users/uma', 404);
      const facts = await w.call('/.postern/audit/facts?subject=user:uma&limit=50');
      assert.doesNotMatch(facts.text, /Thorn|corp\.test/, 'no name and no address is in the record');
    });

    test('a group that the identity system fills and empties gives and takes the role of its members', async () => {
      await hasDesks();
      const w = world();
      await change(w, 'PUT', '/roles/scim-crew', { allows: [{ endpoint: 'payroll/getPayslip' }] }, 201);
      for (const id of ['gus', 'gil']) await scim('POST', '/Users', 201, userOf(id, 'nowhere'));
      const crew = { schemas: [`${core}Group`], externalId: 'crew', displayName: 'The crew' };
      await scim('POST', '/Groups?wait=enforced', 201, { ...crew, members: [{ value: 'gus' }, { value: 'gil' }] });
      const reason = 'the crew does';
      await change(w, 'POST', '/grants', { subject: 'group:crew#member', role: 'scim-crew', reason }, 201);
      const [gus, gil] = [await as('gus'), await as('gil')];
      for (const each of [gus, gil]) await passes(w, payslip, each);
      await scim('PATCH', '/Groups/crew?wait=enforced', 200, patch({ op: 'Remove', path: 'members[value eq "gus"]' }));
      await isRefused(w, payslip, gus);
      await passes(w, payslip, gil);
      await scim('DELETE', '/Groups/crew?wait=enforced', 204);
      await isRefused(w, payslip, gil);
    });

    test('every instance reads what another one wrote, also one that was killed, and of two writers one has to read again', async () => {
      await hasDesks();
      const w = world();
      const last = w.gates.length - 1;
      const created = await scim('POST', '/Users', 201, userOf('vic', 'east'));
      const seen = await scim('GET', '/Users/vic', 200, undefined, { gate: last });
      assert.deepEqual(seen['name'], { givenName: 'Uma', familyName: 'Thorn' });
      assert.equal(seen.meta?.version, created.meta?.version);
      const match = { 'if-match': String(created.meta?.version) };
      const title = (value: string) => patch({ op: 'replace', path: 'title', value });
      await scim('PATCH', '/Users/vic', 200, title('First'), { headers: match });
      await scim('PATCH', '/Users/vic', 412, title('Second'), { headers: match, gate: last });
      await w.restart('grants-1', 'SIGKILL');
      const kept = await scim('GET', '/Users/vic', 200);
      assert.deepEqual([kept['title'], kept['userName']], ['First', 'vic@corp.test']);
      const found = await scim('GET', `/Users?filter=${encodeURIComponent('userName eq "VIC@corp.test"')}`, 200);
      assert.equal(found['totalResults'], 1);
      await passes(w, employees, await as('vic'));
    });
  });
};
