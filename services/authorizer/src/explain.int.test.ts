import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRelationships } from '@postern/relationships/open';
import {
  beginning,
  type Context,
  type EndpointId,
  gateSchema,
  type LoggedFact,
  Organisation,
  type PrincipalId,
  sealAppend,
} from '@postern/schemas';
import { endpointIds, history, machines, people } from '@postern/schemas/histories';
import fc from 'fast-check';
import { explain } from './explain.ts';
import { facts } from './trial/room.ts';

const told = (entries: readonly LoggedFact[]): Organisation => {
  const organisation = new Organisation();
  for (const entry of entries) if (entry.fact) organisation.apply({ ...entry, fact: entry.fact });
  return organisation;
};

const contexts: readonly Partial<Context>[] = [
  { now: '2026-03-02T09:00:00Z', ip: '10.1.2.3', country: 'DE' },
  { now: '2026-03-02T02:00:00Z', ip: '192.168.7.7', country: 'FR' },
  { now: '2026-07-01T00:00:00Z', ip: '2001:db8::5' },
  { now: '2026-06-30T23:59:59Z', country: 'DE' },
  // Nine and five o'clock in Berlin, the first and the last minute of the working hours.
  { now: '2026-03-02T08:00:00Z' },
  { now: '2026-03-02T16:00:00Z' },
  // Berlin's clocks go forward on this Sunday, and back on the last one of October.
  { now: '2026-03-30T07:00:00Z' },
  { now: '2026-10-26T07:59:59Z' },
];

test('an explanation never says otherwise than the engine', async () => {
  await using engine = await openRelationships('embedded:');
  const seed = Number(process.env['POSTERN_SEED'] ?? Math.trunc(Math.random() * 1e9));
  const samples = fc.sample(
    fc.array(fc.array(fc.nat(10_000), { minLength: 8, maxLength: 8 }), { minLength: 60, maxLength: 60 }),
    { numRuns: 12, seed },
  );
  const seen = { allow: 0, deny: 0, conditional: 0 };
  for (const choices of samples) {
    const organisation = told(history(choices, gateSchema));
    await engine.writeSchema(gateSchema);
    const old = await Array.fromAsync(engine.read());
    const { sequence } = await engine.reached();
    const written = await engine.project({
      from: sequence,
      to: beginning,
      updates: [
        ...old.map((relationship) => ({ operation: 'delete', relationship }) as const),
        ...Array.from(organisation.relationships(), (relationship) => ({ operation: 'touch', relationship }) as const),
      ],
      facts: [],
      actor: 'a test',
    });
    assert.equal(written.outcome, 'written');
    const asked = [...people, ...machines, ...organisation.credentials.keys()].flatMap((subject) =>
      endpointIds.flatMap((endpoint) => contexts.map((context) => ({ subject, endpoint, context }))),
    );
    const verdicts = await engine.check(
      asked.map(({ subject, endpoint, context }) => ({
        resource: `endpoint:${endpoint}`,
        permission: 'call',
        subject,
        context,
      })),
    );
    asked.forEach(({ subject, endpoint, context }, index) => {
      const explanation = explain(organisation, { subjects: [subject], endpoint, context });
      const verdict = verdicts[index]?.verdict;
      assert.equal(
        explanation.outcome,
        verdict === 'has' ? 'allow' : 'deny',
        `POSTERN_SEED=${seed} ${subject} ${endpoint} ${JSON.stringify(context)}: the engine says ${verdict}`,
      );
      seen[explanation.outcome]++;
      if (explanation.outcome === 'deny' && explanation.misses.some(({ kind }) => kind === 'condition'))
        seen.conditional++;
    });
  }
  for (const [kind, count] of Object.entries(seen)) assert.ok(count > 20, `only ${count} of ${kind}`);
});

const organisation = told(
  sealAppend(beginning, [
    facts.routes(
      1,
      'payroll',
      { id: 'payroll/list', method: 'GET', template: '/', access: 'read' },
      { id: 'payroll/pay', method: 'POST', template: '/', access: 'write' },
    ),
    facts.role(2, 'keeper', { service: 'payroll', access: 'admin' }),
    facts.role(3, 'lister', { endpoint: 'payroll/list' }),
    facts.member(4, 'group:pay', 'user:bob'),
    facts.member(5, 'group:all', 'group:pay'),
    facts.grant(6, 'group:all#member', 'lister'),
    facts.grant(7, 'user:ann', 'keeper', { countries: ['DE'], until: '2026-06-01T00:00:00Z' }),
  ]),
);
const why = (subject: string, context: Partial<Context>, endpoint = 'payroll/list') =>
  explain(organisation, { subjects: [subject as PrincipalId], endpoint: endpoint as EndpointId, context });

test('an allow names the grant, its fact, the role and the group in between', () => {
  assert.deepEqual(why('user:bob', {}), {
    outcome: 'allow',
    ways: [
      {
        subject: 'user:bob',
        grant: '01890000-0000-7000-8000-000000000006',
        fact: 6,
        by: 'postern/history',
        reason: 'a test',
        role: 'lister',
        group: 'group:all',
        allows: { endpoint: 'payroll/list' },
      },
    ],
  });
});

test('a deny names the conditions that stood in the way, then the roles that would do, the smallest first', () => {
  const refused = why('user:ann', { now: '2026-07-01T00:00:00Z', country: 'FR' });
  assert.ok(refused.outcome === 'deny');
  assert.deepEqual(
    refused.misses.map((miss) =>
      miss.kind === 'condition'
        ? [miss.role, ...miss.unmet]
        : miss.kind === 'role'
          ? [miss.role, miss.endpoints]
          : [miss.object],
    ),
    [
      ['keeper', 'until', 'countries'],
      ['lister', 1],
    ],
  );
  const stranger = why('user:eve', {});
  assert.ok(stranger.outcome === 'deny');
  assert.deepEqual(
    stranger.misses.map((miss) => (miss.kind === 'object' ? miss.object : miss.role)),
    ['lister', 'keeper'],
  );
  const unknown = why('user:ann', { now: '2026-03-01T00:00:00Z' });
  assert.ok(unknown.outcome === 'deny' && unknown.misses[0]?.kind === 'condition');
  assert.deepEqual(unknown.misses[0].missing, ['country']);
});
