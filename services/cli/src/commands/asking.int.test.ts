/** What is asked once for all that are alike is what would have been answered to each of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asking, foldLog, type ModelCommand } from '@postern/modelling/app';
import {
  Endpoint,
  type EndpointId,
  type GroupId,
  gateSchema,
  type Member,
  type PrincipalId,
  RoleName,
  SubjectId,
} from '@postern/schemas';
import fc from 'fast-check';
import { bench } from '../bench.ts';
import { trialLog } from '../trial/log.ts';

const users = Array.from({ length: 6 }, (_, n) => `user:u${n}` as PrincipalId);
const groups = ['group:ga', 'group:gb'] as GroupId[];
const roles = ['one', 'two'].map((name) => RoleName.parse(name));
const endpoints = ['aa', 'bb', 'cc'].map((name) =>
  Endpoint.parse({ id: `api/${name}`, method: 'GET', template: `/${name}`, access: 'read' }),
);
const context = { now: '2026-11-20T08:00:00Z', ip: '10.0.0.1' };
const objects = [
  [],
  [{ resource: 'employee:1', permission: 'view' }],
  [{ resource: 'employee:2', permission: 'view' }],
];

test('every subject gets the answer that asking for it alone would give, with far fewer questions', async () => {
  const any = <Item>(items: readonly Item[]) => fc.constantFrom(...items);
  const story = fc.record({
    members: fc.array(fc.tuple(any(groups), any(users)), { maxLength: 8 }),
    grants: fc.array(
      fc.tuple(any<string>([...users, ...groups.map((each) => `${each}#member`)]), any(roles), fc.boolean()),
      { maxLength: 6 },
    ),
    opened: fc.array(fc.subarray(endpoints, { minLength: 1 }), { minLength: 2, maxLength: 2 }),
    related: fc.array(fc.tuple(any(['employee:1', 'employee:2']), any(users)), { maxLength: 4 }),
  });
  let asked = 0;
  let all = 0;
  await fc.assert(
    fc.asyncProperty(story, async ({ members, grants, opened, related }) => {
      const log = trialLog();
      const tell = (...commands: ModelCommand[]): void => log.tell(...commands);
      tell(
        { kind: 'publish-schema', text: gateSchema },
        { kind: 'publish-routes', service: { name: 'api', mount: '/api', endpoints } },
      );
      for (const [at, role] of roles.entries())
        tell({ kind: 'define-role', role, rules: { allows: (opened[at] ?? []).map(({ id }) => ({ endpoint: id })) } });
      for (const principal of users) tell({ kind: 'join', principal, attributes: {} });
      for (const group of groups) tell({ kind: 'change-group', group, add: [users[0] as Member], remove: [] });
      for (const [group, member] of members) tell({ kind: 'change-group', group, add: [member], remove: [] });
      for (const [subject, role, conditional] of grants)
        tell({
          ...{ kind: 'issue-grant', subject: SubjectId.parse(subject), role, reason: 'test' },
          conditions: conditional ? { cidrs: ['10.0.0.0/8'] } : undefined,
        });
      for (const [object, subject] of related)
        log.add('postern.object.related.v1', { object, relation: 'manager', subject });
      await using model = await foldLog(bench, log.facts);
      const questions = users.flatMap((user) =>
        endpoints.flatMap(({ id }) =>
          objects.flatMap((own) =>
            [context, { ...context, ip: '192.0.2.1' }].map((circumstances) => ({
              ...{ subjects: [user], endpoint: id as EndpointId, objects: own, context: circumstances },
            })),
          ),
        ),
      );
      const asks = asking(model);
      const together = await asks.ask(questions);
      const apart = await model.decide(questions);
      assert.deepEqual(together, apart);
      asked += asks.asked();
      all += questions.length;
    }),
    { numRuns: 8 },
  );
  assert.ok(asked < all * 0.7, `${asked} of ${all}`);
});
