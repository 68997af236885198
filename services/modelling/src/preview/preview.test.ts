import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Endpoint, type EndpointId, objectText, type PrincipalId, type Service } from '@postern/schemas';
import { fromAccessLogLine, isAccessLogLine } from './access-log.ts';
import { gather } from './gather.ts';
import type { Flip } from './preview.ts';
import { previewExit } from './report.ts';
import { fromJsonLine, type ReadUse } from './use.ts';
import { wantedBy } from './wanted.ts';

const service: Service = {
  name: 'payroll',
  mount: '/payroll',
  endpoints: [Endpoint.parse({ id: 'payroll/one', method: 'GET', template: '/employees/{id}', access: 'read' })],
};
const routes = { services: new Map([['payroll', service]]) };
const used = (read: ReadUse) => (read.outcome === 'use' ? read.use : read.why);

describe('access logs', () => {
  test('Common, Combined and object lines are read to the same use', () => {
    const expected = {
      at: '2026-11-20T08:00:00.000Z',
      subjects: ['user:ann'],
      method: 'GET',
      path: '/payroll/employees/7',
    };
    for (const line of [
      '192.0.2.1 - ann [20/Nov/2026:09:00:00 +0100] "GET /payroll/employees/7?x=1 HTTP/1.1" 200 12',
      '192.0.2.1 - ann [20/Nov/2026:09:00:00 +0100] "GET /payroll/employees/7 HTTP/2.0" 200 - "https://a" "b c"',
      '{"remote_addr":"192.0.2.1","remote_user":"ann","time":"2026-11-20T09:00:00+01:00","request":"GET /payroll/employees/7 HTTP/1.1","status":"200"}',
    ]) {
      assert.ok(isAccessLogLine(line), line);
      assert.partialDeepStrictEqual(used(fromAccessLogLine(line)), expected);
    }
  });

  test('what cannot be read is left out with its reason, and never guessed', () => {
    for (const [line, why] of [
      ['nonsense', 'not a line of an access log'],
      ['192.0.2.1 - - [20/Nov/2026:09:00:00 +0100] "GET /a HTTP/1.1" 200 12', 'no user in the access log'],
      ['{"user":"ann","method":"GET","path":"/a"}', 'without a time that can be read'],
    ] as const)
      assert.equal(used(fromAccessLogLine(line)), why);
  });
});

async function* told(...records: readonly object[]): AsyncGenerator<ReadUse> {
  for (const record of records) yield fromJsonLine(JSON.stringify(record));
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
      gathered.pairs.map(({ subjects, live, here, uses, last }) => [subjects, live, here, uses, last]),
      [
        [['user:ann'], 'payroll/one', undefined, 2, '2026-11-21T08:00:00.000Z'],
        [['user:ben'], 'payroll/one', undefined, 1, '2026-11-20T08:00:00.000Z'],
      ],
    );
    assert.deepEqual(
      [...gathered.leftOut],
      [
        ['refused for another reason than permissions (bad-credential)', 1],
        ['path cut in the record', 1],
      ],
    );
  });

  test('circumstances beyond those that are kept are counted', async () => {
    const many = Array.from({ length: 30 }, (_, at) => record({ ip: `192.0.2.${at}` }));
    const { pairs } = await gather(told(...many), { live: routes, here: routes });
    assert.deepEqual([pairs[0]?.circumstances.size, pairs[0]?.notAsked], [24, 6]);
  });
});

test('an object that the routes name is asked for with its endpoint; a path that names none in one way goes nowhere', async () => {
  const objects = [{ type: 'employee', parameter: 'id', permission: 'view' }];
  const guarded = { ...service, endpoints: service.endpoints.map((each) => Endpoint.parse({ ...each, objects })) };
  const { pairs } = await gather(
    told(
      record({}),
      record({}),
      record({ path: '/payroll/employees/8' }),
      record({ path: '/payroll/employees/cafe%CC%81' }),
    ),
    { live: routes, here: { services: new Map([['payroll', guarded]]) } },
  );
  assert.deepEqual(
    pairs.map(({ live, here, objects, uses }) => [live, here, objects.live, objects.here.map(objectText), uses]),
    [
      ['payroll/one', 'payroll/one', [], ['employee:7#view'], 2],
      ['payroll/one', 'payroll/one', [], ['employee:8#view'], 1],
      ['payroll/one', undefined, [], [], 1],
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
