import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Endpoint, type EndpointId, objectText, type PrincipalId, type Service } from '@postern/schemas';
import type { Flip } from './flip.ts';
import { type Gathered, gather } from './gather.ts';
import { fromLine } from './read-uses.ts';
import { previewExit } from './report.ts';
import type { ReadUse } from './use.ts';
import { wantedBy } from './wanted.ts';

const service: Service = {
  name: 'payroll',
  mount: '/payroll',
  endpoints: [Endpoint.parse({ id: 'payroll/one', method: 'GET', template: '/employees/{id}', access: 'read' })],
};
const routes = { services: new Map([['payroll', service]]) };
async function* told(...records: readonly object[]): AsyncGenerator<ReadUse> {
  for (const record of records) yield fromLine(JSON.stringify(record));
}
const record = (more: object) => ({
  id: 'd',
  at: '2026-11-20T08:00:00.000Z',
  outcome: 'allow',
  principal: 'user:ann',
  method: 'GET',
  path: '/payroll/employees/7',
  ...more,
});

const variantsOf = ({ pairs }: Gathered) => pairs.flatMap(({ variants }) => [...variants.values()]);

describe('gathering', () => {
  test('calls of one caller to one endpoint are one question, whatever their paths; what is not asked is counted', async () => {
    const gathered = await gather(
      told(
        record({}),
        record({ path: '/payroll/employees/8', at: '2026-11-21T08:00:00.000Z' }),
        { body: record({ principal: 'user:ben', outcome: 'deny', reason: 'no-grant' }) },
        record({ outcome: 'deny', reason: 'bad-credential' }),
        record({ path: `/payroll/${'x'.repeat(2_000)}` }),
      ),
      { live: routes, here: { services: new Map() } },
    );
    assert.deepEqual(
      variantsOf(gathered).map(({ pair, uses, last }) => [pair.subjects, pair.live, pair.here, uses, last]),
      [
        [['user:ann'], 'payroll/one', undefined, 2, '2026-11-21T08:00:00.000Z'],
        [['user:ben'], 'payroll/one', undefined, 1, '2026-11-20T08:00:00.000Z'],
      ],
    );
    assert.deepEqual(
      gathered.leftOut.map(({ why, uses }) => [why, uses]),
      [
        ['refused for another reason than permissions (bad-credential)', 1],
        ['path cut in the record', 1],
      ],
    );
  });

  test('circumstances beyond those that are kept are counted', async () => {
    const many = Array.from({ length: 30 }, (_, at) => record({ ip: `192.0.2.${at}` }));
    const [first] = variantsOf(await gather(told(...many), { live: routes, here: routes }));
    assert.deepEqual([first?.circumstances.length, first?.notAsked], [24, 6]);
  });
});

test('an object that the routes name is asked for with its endpoint; a path that names none in one way goes nowhere', async () => {
  const objects = [{ type: 'employee', parameter: 'id', permission: 'view' }];
  const guarded = { ...service, endpoints: service.endpoints.map((each) => Endpoint.parse({ ...each, objects })) };
  const gathered = await gather(
    told(
      record({}),
      record({}),
      record({ path: '/payroll/employees/8' }),
      record({ path: '/payroll/employees/cafe%CC%81' }),
    ),
    { live: routes, here: { services: new Map([['payroll', guarded]]) } },
  );
  assert.deepEqual(
    variantsOf(gathered).map(({ pair, objects, uses }) => [
      pair.live,
      pair.here,
      objects.live,
      objects.here.map(objectText),
      uses,
    ]),
    [
      ['payroll/one', 'payroll/one', [], ['employee:7#view'], 2],
      ['payroll/one', 'payroll/one', [], ['employee:8#view'], 1],
      ['payroll/one', undefined, [], [], 1],
    ],
  );
});

test('what is kept is bounded, objects of a pair and all in all, and every call beyond is counted', async () => {
  const objects = [{ type: 'employee', parameter: 'id', permission: 'view' }];
  const guarded = { ...service, endpoints: service.endpoints.map((each) => Endpoint.parse({ ...each, objects })) };
  const here = { services: new Map([['payroll', guarded]]) };
  const many = Array.from({ length: 40 }, (_, at) =>
    record({ path: `/payroll/employees/${at}`, principal: `user:u${at % 2}` }),
  );
  const limits = { objectsMax: 15, variantsMax: 18 };
  const gathered = await gather(told(...many), { live: routes, here, limits });
  const kept = variantsOf(gathered);
  assert.equal(kept.length, 18);
  const beyond = gathered.leftOut.reduce((sum, { uses }) => sum + uses, 0);
  assert.equal(kept.reduce((sum, { uses }) => sum + uses, 0) + beyond, gathered.read);
  assert.equal(gathered.read, 40);
});

test('all operations of one request are asked, each by its name; where a record names none, that is said', async () => {
  const operation = (field: string) =>
    Endpoint.parse({
      ...{ id: `payroll/q-${field}`, method: 'POST', template: '/graphql', access: 'read' },
      operation: { kind: 'graphql', type: 'query', field },
    });
  const graph: Service = { name: 'payroll', mount: '/payroll', endpoints: ['a', 'b'].map(operation) };
  const opaque = Endpoint.parse({
    id: 'payroll/graphql',
    method: 'POST',
    template: '/graphql',
    access: 'write',
    opaque: true,
  });
  const call = (more: object) => record({ method: 'POST', path: '/payroll/graphql', ...more });
  const gathered = await gather(
    told(
      call({ endpoint: 'payroll/q-a', also: ['payroll/q-b', 'payroll/q-gone'] }),
      call({ endpoint: 'payroll/graphql' }),
    ),
    {
      live: { services: new Map([['payroll', graph]]) },
      here: { services: new Map([['payroll', { ...graph, endpoints: [opaque] }]]) },
    },
  );
  assert.deepEqual(
    gathered.pairs.map(({ live, here }) => [live, here]),
    [
      ['payroll/q-a', 'payroll/graphql'],
      ['payroll/q-b', 'payroll/graphql'],
    ],
  );
  assert.deepEqual(
    gathered.leftOut.map(({ uses }) => uses),
    [2],
  );
  assert.equal(gathered.read, 2);
});

test('an operation is asked together with the objects that it named; where the record cannot tell them, that is said', async () => {
  const field = (name: string, ...objects: object[]) =>
    Endpoint.parse({
      ...{ id: `payroll/${name}`, method: 'POST', template: '/graphql', access: 'read' },
      operation: { kind: 'graphql', type: 'query', field: name },
      ...(objects.length > 0 && { objects }),
    });
  const of = (...endpoints: Endpoint[]) => ({
    services: new Map([['payroll', { name: 'payroll', mount: '/payroll', endpoints }]]),
  });
  const rule = (argument: string, permission: string) => ({ type: 'employee', argument, permission });
  const call = (more: object) => record({ method: 'POST', path: '/payroll/graphql', ...more });
  const seen = async (live: object, here: object, more: object) => {
    const gathered = await gather(told(call(more)), { live, here } as never);
    return [
      ...variantsOf(gathered).map(({ objects }) => [objects.live.map(objectText), objects.here.map(objectText)]),
      ...gathered.leftOut.map(({ why }) => why),
    ];
  };
  const one = { endpoint: 'payroll/salary', objects: ['employee:7#view', 'employee:8#view'] };
  const live = of(field('salary', rule('id', 'view')), field('other'));

  assert.deepEqual(await seen(live, of(field('salary', rule('id', 'edit'))), one), [
    [one.objects, ['employee:7#edit', 'employee:8#edit']],
  ]);
  assert.deepEqual(await seen(live, of(field('salary')), one), [[one.objects, []]], 'the rule is gone here');
  const [anotherArgument] = await seen(live, of(field('salary', rule('boss', 'view'))), one);
  assert.match(String(anotherArgument), /does not hold/);
  const [added] = await seen(of(field('salary')), live, { endpoint: 'payroll/salary' });
  assert.match(String(added), /does not hold/);
  const [together] = await seen(live, live, { ...one, also: ['payroll/other'] });
  assert.deepEqual(together, [[], []], 'the other one names nothing, and is asked');
  assert.match(String((await seen(live, live, { ...one, also: ['payroll/other'] })).at(-1)), /called with others/);

  const two = of(field('salary', rule('from', 'view'), rule('to', 'view')));
  assert.match(String((await seen(two, two, one))[0]), /several arguments/);
  const apart = of(field('salary', rule('from', 'debit'), rule('to', 'credit')));
  const moved = of(field('salary', rule('from', 'credit'), rule('to', 'credit')));
  assert.deepEqual(
    await seen(apart, moved, { endpoint: one.endpoint, objects: ['employee:1#debit', 'employee:2#credit'] }),
    [
      [
        ['employee:1#debit', 'employee:2#credit'],
        ['employee:1#credit', 'employee:2#credit'],
      ],
    ],
  );
});

describe('wanted flips', () => {
  const flip = (direction: Flip['direction']): Omit<Flip, 'wanted'> => ({
    direction,
    subjects: ['user:ann' as PrincipalId],
    live: 'payroll/one' as EndpointId,
    here: 'payroll/one' as EndpointId,
    example: 'GET /payroll/employees/7',
    uses: 1,
    last: '2026-11-20T08:00:00.000Z',
    objects: [],
    objectCount: 0,
    causes: [{ kind: 'role', role: 'clerk', what: 'the role clerk allows it here' }],
  });
  const services = { live: [service], here: [service] };

  test('a line names a caller and a path, or a role and an endpoint, and nothing beyond', () => {
    for (const [line, wanted] of [
      ['user:ann GET /payroll/employees/99', true],
      ['role:clerk payroll/one', true],
      ['user:ben GET /payroll/employees/7', false],
      ['user:ann POST /payroll/employees/7', false],
      ['role:other payroll/one', false],
    ] as const)
      assert.equal(wantedBy([line], services)(flip('deny-to-allow')), wanted, line);
  });

  test('a refusal ends with 2, a new admission with 3, and what is wanted with 0', () => {
    const exit = (...flips: readonly Flip[]) => previewExit({ flips } as Parameters<typeof previewExit>[0]);
    const lost = { ...flip('allow-to-deny'), wanted: false };
    const won = { ...flip('deny-to-allow'), wanted: false };
    assert.deepEqual(
      [exit(), exit(lost, won), exit(won), exit({ ...lost, wanted: true }, won), exit({ ...lost, wanted: true })],
      [0, 2, 3, 3, 0],
    );
  });
});
