/** Previews over the real engine: what makes a pair flip, and what never makes a preview fail. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { foldBoth, type Model, type ModelCommand, preview, previewMarkdown, readUses } from '@postern/modelling/app';
import { CredentialId, Endpoint, gateSchema, type PrincipalId, RoleName, RoleRules, SubjectId } from '@postern/schemas';
import { bench } from '../bench.ts';
import { trialLog } from '../trial/log.ts';

type Route = Partial<Omit<Endpoint, 'id'>> & { readonly id: string; readonly template: string };
const modelOf = (routes: readonly Route[], roles: Record<string, object>, schema = gateSchema): Model => ({
  schema,
  services: [
    {
      name: 'payroll',
      mount: '/payroll',
      endpoints: routes.map((each) => Endpoint.parse({ method: 'GET', access: 'read', ...each })),
    },
  ],
  roles: new Map(Object.entries(roles).map(([name, rules]) => [RoleName.parse(name), RoleRules.parse(rules)])),
});
const publish = ({ schema, services, roles }: Model): ModelCommand[] => [
  { kind: 'publish-schema', text: schema },
  ...services.map((service) => ({ kind: 'publish-routes', service }) as const),
  ...[...roles].map(([role, rules]) => ({ kind: 'define-role', role, rules }) as const),
];
const joins = (...principals: string[]): ModelCommand[] =>
  principals.map((each) => ({ kind: 'join', principal: each as PrincipalId, attributes: {} }));
const holds = (subject: string, role: string, conditions?: object): ModelCommand => ({
  kind: 'issue-grant',
  subject: SubjectId.parse(subject),
  role: RoleName.parse(role),
  reason: 'test',
  ...(conditions && { conditions }),
});

const list: Route = { id: 'payroll/list', template: '/employees' };
const one: Route = { id: 'payroll/one', template: '/employees/{id}' };
const reader = { reader: { allows: [{ service: 'payroll', access: 'read' }] } };

const call = (more: object) => ({
  id: 'd',
  at: '2026-11-20T08:00:00.000Z',
  outcome: 'allow',
  principal: 'user:ann',
  method: 'GET',
  path: '/payroll/employees',
  endpoint: 'payroll/list',
  ...more,
});
async function* lines(records: readonly object[]) {
  for (const record of records) yield JSON.stringify(record);
}
const previewed = async (facts: Parameters<typeof foldBoth>[1], here: Model, records: readonly object[]) => {
  await using both = await foldBoth(bench, facts, here);
  return await preview({
    ...both,
    uses: readUses(lines(records)),
    places: { role: (role) => `roles.yaml#${role}`, endpoint: (endpoint) => `routes#${endpoint}` },
    wanted: () => false,
  });
};
const flipsOf = async (...args: Parameters<typeof previewed>) =>
  (await previewed(...args)).flips.map(({ direction, subjects, causes }) => [
    direction,
    subjects.join(' '),
    causes.map(({ kind, what }) => `${kind}: ${what}`).join('; '),
  ]);

describe('preview', () => {
  const live = modelOf([list, one], reader);
  const log = (...more: ModelCommand[]) => {
    const log = trialLog();
    log.tell(
      ...publish(live),
      ...joins('user:ann', 'user:ben', 'workload:agent'),
      holds('user:ann', 'reader'),
      ...more,
    );
    return log;
  };

  test('a scope that an endpoint begins to ask for refuses tokens that were not delegated it, and no others', async () => {
    const here = modelOf([{ ...list, scopes: ['payroll.read'] }, one], reader);
    const records = [
      call({}),
      call({ scopes: [] }),
      call({ scopes: ['other', 'payroll.read'] }),
      call({ scopes: ['other'], scopesBeyond: 3 }),
    ];
    const result = await previewed(log().facts, here, records);
    assert.deepEqual(
      result.flips.map(({ direction, uses, causes }) => [direction, uses, causes[0]?.kind, causes[0]?.place]),
      [['allow-to-deny', 1, 'scope', 'routes#payroll/list']],
    );
    assert.match(result.leftOut[0]?.why ?? '', /more scopes than the record has room for/);
    // And the other way: what live asks for and the files here do not.
    const asking = trialLog();
    asking.tell(...publish(here), ...joins('user:ann'), holds('user:ann', 'reader'));
    const refused = [call({ outcome: 'deny', reason: 'scope-missing', scopes: ['other'] })];
    assert.deepEqual(await flipsOf(asking.facts, live, refused), [
      [
        'deny-to-allow',
        'user:ann',
        'scope: the endpoint asks for the scope payroll.read now, which the token was not delegated',
      ],
    ]);
  });

  test('a condition on how the caller logged in is judged by what the token said', async () => {
    const facts = log(holds('user:ben', 'reader', { acr: ['gold'], amr: ['otp'] })).facts;
    const here = modelOf([list], { reader: { allows: [{ endpoint: 'payroll/one' }] } });
    const ben = (more: object) => call({ principal: 'user:ben', ...more });
    const result = await previewed(facts, here, [
      ben({ acr: 'gold', amr: ['otp', 'pwd'] }),
      ben({ acr: 'silver', amr: ['otp'] }),
      ben({ acr: 'gold' }),
    ]);
    assert.deepEqual(
      result.flips.map(({ direction, uses }) => [direction, uses]),
      [['allow-to-deny', 1]],
    );
  });

  test('whoever acts for the caller, and the key that was shown, have to be allowed too', async () => {
    const key = CredentialId.parse('credential:k1');
    const facts = log(holds('workload:agent', 'reader'), {
      kind: 'issue-key',
      credential: key,
      owner: 'user:ann' as PrincipalId,
      digest: 'a'.repeat(43),
      roles: [RoleName.parse('reader')],
      reason: 'test',
    }).facts;
    const here = modelOf([list], {
      reader: { allows: [{ endpoint: 'payroll/one' }] },
      person: { allows: [{ service: 'payroll', access: 'read' }], birthright: { department: 'x' } },
    });
    const result = await flipsOf(facts, here, [
      call({ actors: ['workload:agent'] }),
      call({ credential: key }),
      call({ actors: ['workload:other'] }),
    ]);
    assert.deepEqual(
      result.map(([direction, who]) => [direction, who]),
      [
        ['allow-to-deny', 'user:ann workload:agent'],
        ['allow-to-deny', 'user:ann credential:k1'],
      ],
    );
  });

  test('an object rule that a file adds refuses whoever is not related to the object; the question without it is asked once', async () => {
    const facts = log({ kind: 'join', principal: 'user:eve' as PrincipalId, attributes: {} });
    facts.add('postern.object.related.v1', { object: 'employee:7', relation: 'manager', subject: 'user:ann' });
    const rule = { type: 'employee', parameter: 'id', permission: 'view' };
    const here = modelOf([list, { ...one, objects: [rule] } as Route], reader);
    const at = (id: number) => call({ path: `/payroll/employees/${id}`, endpoint: 'payroll/one' });
    const result = await previewed(facts.facts, here, [at(7), ...Array.from({ length: 30 }, (_, n) => at(100 + n))]);
    const [flip, ...others] = result.flips;
    assert.deepEqual(others, []);
    assert.deepEqual([flip?.objectCount, flip?.uses, flip?.objects.length], [30, 30, 3]);
    assert.deepEqual(
      flip?.causes.map(({ what }) => what),
      ['the endpoint asks for employee#view here and not now'],
    );
    // Live is asked about the endpoint once, whatever the objects; here 31 times, and once more without an object.
    assert.equal(result.asked, 1 + 31 + 1);
    assert.match(previewMarkdown(result), /30 objects/);
  });

  test('every operation of one request is asked about', async () => {
    const operation = (field: string): Route => ({
      id: `payroll/q-${field}`,
      template: '/graphql',
      method: 'POST',
      operation: { kind: 'graphql', type: 'query', field },
    });
    const graph = modelOf([operation('aa'), operation('bb')], reader);
    const log = trialLog();
    log.tell(...publish(graph), ...joins('user:ann'), holds('user:ann', 'reader'));
    const here = modelOf([operation('aa'), operation('bb')], { reader: { allows: [{ endpoint: 'payroll/q-aa' }] } });
    const record = call({ method: 'POST', path: '/payroll/graphql', endpoint: 'payroll/q-aa', also: ['payroll/q-bb'] });
    const result = await previewed(log.facts, here, [record]);
    assert.deepEqual(
      result.flips.map(({ live }) => live),
      ['payroll/q-bb'],
    );
  });

  test('a relationship that the live schema itself does not know is set aside by name, and the rest is previewed', async () => {
    const facts = log();
    for (let n = 0; n < 50; n++)
      facts.add('postern.object.related.v1', { object: `employee:${n}`, relation: 'manager', subject: 'user:ann' });
    facts.add('postern.object.related.v1', { object: 'invoice:1', relation: 'payer', subject: 'user:ann' });
    facts.add('postern.object.related.v1', { object: 'employee:1', relation: 'friend', subject: 'user:ann' });
    const result = await previewed(facts.facts, live, [call({})]);
    assert.deepEqual(result.aside.map(({ resource, relation }) => `${resource}#${relation}`).sort(), [
      'employee:1#friend',
      'invoice:1#payer',
    ]);
    assert.deepEqual([result.read, result.flips, result.dropped], [1, [], []]);
    assert.match(previewMarkdown(result), /2 live relationships that the live schema does not know are set aside/);
  });
});
