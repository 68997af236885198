/** The log once more: the same graph at every place of it, and the same decisions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendsOf, digestOf, rebuildChecks, verifyDecisions } from '@postern/audit/app';
import { judgeOver } from '@postern/authorizer/app';
import { openRelationships } from '@postern/relationships/open';
import {
  beginning,
  type Context,
  type DecisionRecord,
  gateSchema,
  type LoggedFact,
  sealAppend,
} from '@postern/schemas';
import { draftOf, endpointIds, history, nthId, people } from '@postern/schemas/histories';
import { numbers, standingAt } from './standing-at.ts';

const openEngine = () => openRelationships('embedded:');
const appends = (facts: readonly LoggedFact[]) =>
  appendsOf(
    (async function* () {
      yield* facts;
    })(),
  );
const histories = (seed: number) => {
  const next = numbers(seed);
  return history(
    Array.from({ length: 300 }, () => Array.from({ length: 8 }, next)),
    gateSchema,
  );
};

/** Decisions as a gate would have recorded them, each of another moment, place and caller. */
const recordedOver = async (facts: readonly LoggedFact[], seed: number): Promise<DecisionRecord[]> => {
  const next = numbers(seed);
  const decisions: DecisionRecord[] = [];
  for (const share of [0.4, 0.7, 1]) {
    const sequence = Math.floor(facts.length * share);
    await using engine = await openEngine();
    const { judge, organisation } = await standingAt(engine, facts, sequence);
    const declared = endpointIds.filter((id) =>
      [...organisation.services.values()].some(({ endpoints }) => endpoints.some((each) => each.id === id)),
    );
    for (const principal of people)
      for (const endpoint of declared) {
        const ip = next() % 2 === 0 ? '10.1.2.3' : '203.0.113.9';
        const country = next() % 2 === 0 ? 'DE' : 'FR';
        const at = `2026-0${1 + (next() % 9)}-02T1${next() % 10}:00:00Z`;
        const context: Context = { now: at, ip, country };
        const [answer] = await judge.decide([{ subjects: [principal], endpoint, context, atLeast: beginning }]);
        if (answer === undefined || answer.outcome === 'unavailable') throw new Error('the engine gives no answer');
        const reason = answer.outcome === 'deny' ? { reason: answer.reason } : {};
        const said = { at, ip, country, principal, endpoint, method: 'GET', path: '/', sequence };
        decisions.push({ id: `d${decisions.length}`, outcome: answer.outcome, ...reason, ...said });
      }
  }
  return decisions;
};
const streamed = async function* <Item>(items: readonly Item[]) {
  yield* items;
};

for (const seed of [5, 6])
  test(`an authorizer that is rebuilt from the log holds what the log means, at every place of it: history ${seed}`, async () => {
    const facts = histories(seed);
    const checks = await Array.fromAsync(rebuildChecks(openEngine, appends(facts), 40));
    assert.ok(checks.length > 5);
    assert.equal(checks.at(-1)?.sequence, facts.length);
    for (const { sequence, held, folded } of checks) assert.equal(held, folded, `at ${sequence}`);
    assert.ok(new Set(checks.map(({ held }) => held)).size > 3, 'the graph changes on the way');
  });

test('decisions replayed where they were made, with their circumstances, come out the same; one that was altered is named', async () => {
  const facts = histories(10);
  const decisions = await recordedOver(facts, 8);
  const verified = await verifyDecisions({ openEngine, judgeOver }, appends(facts), streamed(decisions));
  assert.deepEqual([verified.differences, verified.same], [[], decisions.length]);
  for (const outcome of ['allow', 'deny'])
    assert.ok(
      decisions.some((each) => each.outcome === outcome),
      `some are ${outcome}`,
    );
  assert.ok(
    decisions.some(({ reason }) => reason === 'condition-unmet'),
    'some depend on circumstances',
  );

  const at = decisions.findIndex(({ outcome }) => outcome === 'deny');
  const altered = decisions.map((each, n): DecisionRecord => {
    const { reason: _, ...rest } = each;
    return n === at ? { ...rest, outcome: 'allow' } : each;
  });
  const again = await verifyDecisions({ openEngine, judgeOver }, appends(facts), streamed(altered));
  assert.deepEqual(
    again.differences.map(({ decision, recorded, replayed }) => [decision, recorded, replayed]),
    [[`d${at}`, 'allow', decisions[at]?.reason]],
  );
});

test('an answer is not kept beyond a change that it rests on: of the group that holds, of the role, of the membership', async () => {
  const [grant, change] = ['postern.grant.issued.v1', 'postern.role.changed.v1'] as const;
  const list = { allows: [{ endpoint: 'payroll/list' }] } as never;
  const read = { allows: [{ endpoint: 'payroll/read' }] } as never;
  const [group, subject, role] = ['group:hr', 'group:hr#member', 'reader'] as never[];
  const endpoints = ['list', 'read'].map((name) => ({
    id: `payroll/${name}`,
    method: 'GET',
    template: `/${name}`,
    access: 'read',
  }));
  const routes = { service: 'payroll', mount: '/payroll', endpoints, part: 1, parts: 1, digest: 'none' } as never;
  const drafts = [
    draftOf(1, 'postern.schema.published.v1', { text: gateSchema, part: 1, parts: 1, digest: 'none' }),
    draftOf(2, 'postern.routes.published.v1', routes),
    draftOf(3, 'postern.role.defined.v1', { role, rules: list } as never),
    draftOf(4, 'postern.group.changed.v1', { group, add: ['user:ann'], remove: [] } as never),
    draftOf(5, grant, { grant: nthId(5), subject, role, origin: 'direct', reason: 'r' } as never),
    draftOf(6, change, { role, before: list, rules: read } as never),
    draftOf(7, change, { role, before: read, rules: list } as never),
    draftOf(8, 'postern.group.changed.v1', { group, add: [], remove: ['user:ann'] } as never),
    draftOf(9, 'postern.group.changed.v1', { group, add: ['user:ann'], remove: [] } as never),
    draftOf(10, 'postern.grant.revoked.v1', { grant: nthId(5), subject, role, reason: 'r' } as never),
  ];
  const facts = drafts.flatMap((draft, at) => sealAppend(at as never, [draft]));
  const outcomes = [
    [4, false],
    [5, true],
    [6, false],
    [7, true],
    [8, false],
    [9, true],
    [10, false],
  ] as const;
  const decisions = outcomes.map(
    ([sequence, allowed]): DecisionRecord => ({
      id: `at ${sequence}`,
      at: '2026-03-02T09:00:00Z',
      ...(allowed ? { outcome: 'allow' } : { outcome: 'deny', reason: 'no-grant' }),
      principal: 'user:ann',
      endpoint: 'payroll/list',
      method: 'GET',
      path: '/',
      sequence,
    }),
  );
  const verified = await verifyDecisions({ openEngine, judgeOver }, appends(facts), streamed(decisions));
  assert.deepEqual([verified.differences, verified.same], [[], outcomes.length]);
});

test('a pair is asked once for as long as the graph stays as it is', async () => {
  const facts = histories(9);
  const decisions = await recordedOver(facts, 8);
  const many = Array.from({ length: 50 }, () => decisions).flat();
  const verified = await verifyDecisions({ openEngine, judgeOver }, appends(facts), streamed(many));
  assert.equal(verified.same, many.length);
  assert.ok(verified.asked <= 2 * decisions.length, `${verified.asked} questions`);
});

test('what is not decided by permissions, and what rests on facts that are not there, is counted and not passed over', async () => {
  const facts = histories(7);
  const base = { at: '2026-03-02T09:00:00Z', method: 'GET', path: '/' } as const;
  const verified = await verifyDecisions(
    { openEngine, judgeOver },
    appends(facts.slice(0, 10)),
    streamed<DecisionRecord>([
      { ...base, id: 'a', outcome: 'deny', reason: 'bad-credential' },
      { ...base, id: 'b', outcome: 'unavailable', reason: 'not-ready' },
      { ...base, id: 'c', outcome: 'allow', principal: 'user:ann', endpoint: 'payroll/list', sequence: 100 },
    ]),
  );
  assert.deepEqual(verified.leftOut, { 'bad-credential': 1, 'not-ready': 1, 'rests on facts that are not here': 1 });
});

test('two sets of relationships have one digest where they are the same, whatever their order', () => {
  const [a, b] = [
    { resource: 'role:a', relation: 'holder', subject: 'user:ann' },
    { resource: 'role:b', relation: 'holder', subject: 'user:ann' },
  ];
  assert.equal(digestOf([a, b]), digestOf([b, a]));
  assert.notEqual(digestOf([a]), digestOf([a, b]));
  assert.notEqual(digestOf([a]), digestOf([{ ...a, anyOf: [{ countries: ['DE'] }] }]));
});
