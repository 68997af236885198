import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readGain } from './gains.ts';
import { readGiven } from './given.ts';
import { readAssertion } from './sentences.ts';

const sentence = (text: string) => {
  const read = readAssertion(text);
  assert.ok('sentence' in read, 'what' in read ? `${text}: ${read.what}` : '');
  return read.sentence;
};
const refused = (text: string, read: (text: string) => object = readAssertion): string => {
  const found = read(text);
  assert.ok('what' in found, `"${text}" is taken`);
  return String(found.what);
};

test('a sentence says who, with what token, what, when and from where', () => {
  assert.deepEqual(
    sentence(
      'workload:b for user:a with scopes s,t and acr gold cannot GET /x/1 at 2026-11-24T10:00:00+01:00 from ::1 in DE',
    ),
    {
      kind: 'can',
      can: false,
      callers: ['workload:b', 'user:a'],
      circumstances: { acr: 'gold', now: '2026-11-24T09:00:00.000Z', ip: '::1', country: 'DE' },
      scopes: ['s', 't'],
      call: { kind: 'path', method: 'GET', path: '/x/1' },
    },
  );
  assert.deepEqual(sentence('user:a can GET /x with amr otp,hwk,otp').circumstances, { amr: ['hwk', 'otp'] });
  assert.deepEqual(sentence('user:a with no scopes can GET /x').scopes, []);
  assert.deepEqual(sentence('user:a can GET /x').scopes, undefined);
  assert.deepEqual(sentence("user:a can't GET /x").kind === 'can' && sentence("user:a can't GET /x"), {
    ...sentence('user:a cannot GET /x'),
  });
});

test('what a body would say is called by its kind and name', () => {
  const call = (text: string) => sentence(`user:a can call ${text}`).call;
  const graphql = (type: string, field: string) => ({ kind: 'graphql', type, field });
  assert.deepEqual(call('query viewer, repository at /graphql at 2026-11-24T09:00:00Z'), {
    kind: 'operations',
    operations: [graphql('query', 'viewer'), graphql('query', 'repository')],
    at: '/graphql',
  });
  assert.deepEqual(call('query at at /graphql'), {
    kind: 'operations',
    operations: [graphql('query', 'at')],
    at: '/graphql',
  });
  assert.deepEqual(call('tool delete_note'), {
    kind: 'operations',
    operations: [{ kind: 'mcp', tool: 'delete_note' }],
  });
  assert.deepEqual(call('method tools/list from 10.0.0.1'), {
    kind: 'operations',
    operations: [{ kind: 'mcp-method', method: 'tools/list' }],
  });
  assert.deepEqual(call('rpc a.v1.B/C at /led'), { kind: 'grpc', method: 'a.v1.B/C', at: '/led' });
  assert.deepEqual(call('shop/query.product'), { kind: 'endpoint', endpoint: 'shop/query=2Eproduct' });
});

test('what could be read in two ways, or in none, is a mistake', () => {
  for (const [text, what] of [
    ['user:a can', /not understood/],
    ['user:a can GET', /no call/],
    ['user:a can get /x', /"get" is no method/],
    ['user:a can GET /x from', /not understood/],
    ['user:a can GET /x from 1.1.1.1 from 2.2.2.2', /stands twice/],
    ['user:a with acr gold can GET /x with acr silver', /"acr" stands twice/],
    ['user:a with scopes s with scopes t can GET /x', /stands twice/],
    ['user:a with acr gold,silver can GET /x', /one acr/],
    ['user:a with scopes can GET /x', /stands without/],
    ['user:a with can GET /x', /nobody|no claim/],
    ['user:a with password x can GET /x', /names no claim/],
    ['credential:k with acr gold can GET /x', /carries no claims/],
    ['nobody but role:abc with scopes s can GET /x', /scopes narrow/],
    ['everybody cannot GET /x', /two things/],
    ['nobody cannot GET /x', /says nothing/],
    ['nobody but cook can GET /x', /"cook" is nobody/],
    ['cook can GET /x', /nobody who could call/],
    ['a for b for c can GET /x', /nobody who could call/],
    [`${'workload:b for '.repeat(6)}user:a can GET /x`, /longer than the gate takes/],
    ['user:a can call', /names nothing/],
    ['user:a can call query', /names nothing/],
    ['user:a can call tool one, two', /one request calls one tool/],
  ] as const)
    assert.match(refused(text), what, text);
});

test('what is given is read strictly too', () => {
  const given = (text: string) => {
    const read = readGiven(text);
    assert.ok('sentence' in read, 'what' in read ? read.what : '');
    return read.sentence;
  };
  assert.deepEqual(given('employee:42 manager group:hr#member'), {
    kind: 'related',
    object: 'employee:42',
    relation: 'manager',
    subject: 'group:hr#member',
  });
  assert.deepEqual(given('user:a holds clerk with acr gold,silver with amr otp until 2026-12-01T00:00:00Z'), {
    kind: 'holds',
    subject: 'user:a',
    role: 'clerk',
    conditions: { acr: ['gold', 'silver'], amr: ['otp'], until: '2026-12-01T00:00:00Z' },
  });
  for (const text of [
    'user:a holds clerk with acr',
    'user:a holds clerk with scopes s',
    'user:a holds clerk with acr a with acr b',
    'user:a joined departement=x',
    'group:hr member user:a',
    'employee:42 manager',
    'employee:42 manager bob',
    'employee:4 2 manager user:a',
  ])
    refused(text, readGiven);
});

test('a gain names who and what, an endpoint by either spelling', () => {
  assert.deepEqual(readGain('role:abc gains shop/query.x'), {
    sentence: { subject: 'role:abc', target: 'shop/query=2Ex' },
  });
  assert.deepEqual(readGain('user:a gains employee:42#view'), {
    sentence: { subject: 'user:a', target: 'employee:42#view' },
  });
  for (const text of [
    'user:a gains',
    'a gains x/y',
    'user:a gains nothing',
    'user:a loses x/y',
    'user:a gains x/y now',
  ])
    refused(text, readGain);
});

const words = fc.constantFrom(
  'user:a',
  'role:abc',
  'credential:k',
  'nobody',
  'but',
  'anybody',
  'for',
  'with',
  'no',
  'scopes',
  'acr',
  'amr',
  'and',
  's,t',
  'can',
  'cannot',
  "can't",
  'call',
  'query',
  'tool',
  'rpc',
  'GET',
  '/x',
  'a/b',
  'at',
  'from',
  'in',
  'DE',
  '10.0.0.1',
  '2026-11-24T09:00:00Z',
  ',',
  'joined',
  'left',
  'has',
  'holds',
  'clerk',
  'on',
  'belongs',
  'to',
  'department=x',
  'gains',
  'employee:42',
  'manager',
  '\n',
  '\u0000',
);

test('whatever is written, it is read or refused with a fix, and never thrown at', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(words, { maxLength: 14 }).map((each) => each.join(' ')),
        fc.string(),
      ),
      (text) => {
        for (const read of [readAssertion, readGiven, readGain]) {
          const found = read(text);
          if (!('sentence' in found)) assert.ok(found.what.length > 0 && found.fix.length > 0, text);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});
