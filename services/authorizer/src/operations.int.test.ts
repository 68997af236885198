import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { openRelationships } from '@postern/relationships/open';
import { endpointsFromGraphQl, endpointsFromMcp } from '@postern/schemas';
import { facts, room } from './trial/room.ts';

const world = [
  facts.schema(1),
  facts.routes(
    2,
    'shop',
    ...endpointsFromGraphQl('shop', '/graphql', [
      { type: 'query', field: 'product' },
      { type: 'mutation', field: 'cancelOrder' },
    ]),
  ),
  facts.routes(
    3,
    'notes',
    ...endpointsFromMcp('notes', '/mcp', [{ name: 'search', access: 'read' }, { name: 'delete_note' }]),
  ),
  facts.routes(4, 'payroll', {
    id: 'payroll/list',
    method: 'GET',
    template: '/list',
    access: 'read',
    scopes: ['payroll.read'],
  }),
  facts.role(5, 'shopper', { service: 'shop', access: 'read' }),
  facts.role(6, 'noter', { service: 'notes', access: 'read' }),
  facts.role(7, 'reader', { service: 'payroll', access: 'read' }),
  facts.joined(8, 'user:ann'),
  facts.grant(9, 'user:ann', 'shopper'),
  facts.grant(10, 'user:ann', 'noter'),
  facts.grant(11, 'user:ann', 'reader'),
];
type Judged = { readonly endpoint: string; readonly decision: string; readonly reason?: string };
type Can = Judged & { readonly operations?: readonly Judged[] };

test('a can for a path with many operations judges each of them, or the one that is named', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine);
  await opened.tell(...world);
  const can = async (query: string) => (await opened.get(`/.postern/can?subject=user:ann&method=${query}`)).body as Can;

  const all = await can('POST&path=/shop/graphql');
  assert.equal(all.decision, 'deny');
  assert.deepEqual(
    all.operations?.map(({ endpoint, decision }) => [endpoint, decision]),
    [
      ['shop/query=2Eproduct', 'allow'],
      ['shop/mutation=2EcancelOrder', 'deny'],
      ['shop/query=2E__schema', 'allow'],
      ['shop/query=2E__type', 'allow'],
      ['shop/query=2E__typename', 'allow'],
      ['shop/mutation=2E__typename', 'allow'],
    ],
  );
  const queries = await can('GET&path=/shop/graphql');
  assert.equal(queries.decision, 'allow');
  assert.equal(queries.operations?.length, 4);

  for (const [operation, decision] of [
    ['query.product', 'allow'],
    ['query%20product', 'allow'],
    ['shop/mutation=2EcancelOrder', 'deny'],
    ['mutation%20cancelOrder', 'deny'],
  ] as const) {
    const one = await can(`POST&path=/shop/graphql&operation=${operation}`);
    assert.deepEqual([one.decision, one.operations], [decision, undefined], operation);
  }
  assert.equal((await can('POST&path=/shop/graphql&operation=query.nothing')).reason, 'no-such-endpoint');
  assert.equal((await can('POST&path=/notes/mcp&operation=tool%20search')).decision, 'allow');
  assert.equal((await can('POST&path=/notes/mcp&operation=tool%20delete_note')).decision, 'deny');
  assert.equal((await can('POST&path=/notes/mcp&operation=method%20tools/list')).decision, 'allow');
  const listens = await can('GET&path=/notes/mcp');
  assert.deepEqual([listens.endpoint, listens.decision], ['notes/mcp=2Elisten', 'allow']);
});

test('a can for a delegated token says which scopes it lacks', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine);
  await opened.tell(...world);
  const can = async (scopes: string) =>
    (await opened.get(`/.postern/can?subject=user:ann&method=GET&path=/payroll/list${scopes}`)).body as never;
  assert.partialDeepStrictEqual(await can(''), { decision: 'allow' });
  assert.partialDeepStrictEqual(await can('&scopes=payroll.read,other'), { decision: 'allow' });
  const denied = { decision: 'deny', reason: 'scope-missing', scopes: ['payroll.read'] };
  assert.partialDeepStrictEqual(await can('&scopes=other'), denied as never);
  assert.partialDeepStrictEqual(await can('&scopes='), denied as never);
});
