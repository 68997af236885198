/** SCIM through the gate, against the started product: the outside suite, who may provision, and what it opens and ends. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type OwnWorld, ownWorld } from '../world/own-api.ts';
import { change, things } from '../world/things.ts';
import { conformance, findTester } from './tester.ts';

const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';
const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

describe('SCIM through the gate', () => {
  let world: OwnWorld;
  let key: string;
  before(async () => {
    world = await ownWorld(things());
    await world.start();
    // The identity system is a machine with one role of its own and a key no wider than that.
    const owner = 'user:idp-connector';
    await change(world, '/events?wait=enforced', event('idp', owner), { contentType: 'application/cloudevents+json' });
    await change(world, '/grants?wait=enforced', { subject: owner, role: 'postern-provisioner', reason: 'test' });
    const { body } = await change(world, '/keys?wait=enforced', {
      owner,
      roles: ['postern-provisioner'],
      reason: 'test',
    });
    key = String(body['key']);
  });
  after(() => world[Symbol.asyncDispose]());

  const event = (id: string, subject: string) => ({
    specversion: '1.0',
    id,
    source: '/hr',
    type: 'postern.person.joined.v1',
    subject,
    data: {},
  });
  const scim = async (method: string, path: string, body?: object, apiKey = key) => {
    const response = await fetch(`${world.gate}/.postern/scim/v2${path}`, {
      method,
      headers: { 'x-api-key': apiKey, ...(body !== undefined && { 'content-type': 'application/scim+json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
  };
  const rita = {
    schemas: [userUrn, enterpriseUrn],
    externalId: 'rita',
    userName: 'rita@corp.test',
    active: true,
    [enterpriseUrn]: { department: 'reading' },
  };
  const calls = async () => {
    const response = await fetch(`${world.gate}/things/list`, {
      headers: { authorization: `Bearer ${await world.issuer.token('rita')}` },
    });
    return response.status;
  };

  test('scim2-tester finds nothing wrong', async (context) => {
    const tester = await findTester();
    if (tester.outcome === 'missing') {
      context.skip(tester.why);
      return;
    }
    const { passed, output } = await conformance(`${world.gate}/.postern/scim/v2`, key);
    context.diagnostic(`scim2-tester: ${output.trim().split('\n').at(-1)}`);
    assert.ok(passed, output);
  });

  test('what is provisioned opens the API by birthright, and active: false ends it everywhere before the answer', async () => {
    assert.equal(await calls(), 403);
    assert.equal((await scim('POST', '/Users?wait=enforced', rita)).status, 201);
    assert.equal(await calls(), 200);
    const off = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'Replace', path: 'active', value: 'False' }],
    };
    assert.equal((await scim('PATCH', '/Users/rita?wait=enforced', off)).status, 200);
    assert.equal(await calls(), 403);
    assert.equal((await scim('PUT', '/Users/rita?wait=enforced', rita)).status, 200);
    assert.equal(await calls(), 200);
    assert.equal((await scim('DELETE', '/Users/rita?wait=enforced')).status, 204);
    assert.equal(await calls(), 403);
  });

  test('only whoever is allowed to provisions, and whoever provisions may do nothing else', async () => {
    assert.equal((await fetch(`${world.gate}/.postern/scim/v2/Users`)).status, 401);
    const { body } = await change(world, '/keys?wait=enforced', {
      owner: 'user:idp-connector',
      roles: ['thing-reader'],
      reason: 'test',
    });
    assert.equal((await scim('GET', '/Users', undefined, String(body['key']))).status, 403);
    const grants = await fetch(`${world.gate}/.postern/grants`, { headers: { 'x-api-key': key } });
    assert.equal(grants.status, 403);
  });

  test('the fact names the client that caused it', async () => {
    await scim('POST', '/Users', { ...rita, externalId: 'otto', userName: 'otto' });
    for (;;) {
      const response = await fetch(`${world.gate}/.postern/audit/facts?subject=user:otto`, {
        headers: { 'x-api-key': await world.key() },
      });
      const text = await response.text();
      if (!text.includes('principal.joined')) continue;
      assert.ok(text.includes('user:idp-connector'), text);
      break;
    }
  });
});
