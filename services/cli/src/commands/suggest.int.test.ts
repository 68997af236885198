/** Suggestions over the real engine: the least that would have allowed what was used, and nothing proposed that a role cannot answer. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { foldLog, type ModelCommand, readUses, suggest, suggestionDiff } from '@postern/modelling/app';
import {
  CredentialId,
  Endpoint,
  type FactDraft,
  type GroupId,
  gateSchema,
  type Member,
  type PrincipalId,
  RoleName,
  RoleRules,
  RolesYaml,
  SubjectId,
} from '@postern/schemas';
import { parse } from 'yaml';
import { bench } from '../bench.ts';
import { trialLog } from '../trial/log.ts';

const rule = { type: 'employee', parameter: 'id', permission: 'view' };
const endpoints = [
  { id: 'payroll/list', method: 'GET', template: '/employees', access: 'read' },
  { id: 'payroll/one', method: 'GET', template: '/employees/{id}', access: 'read', objects: [rule] },
  { id: 'payroll/run', method: 'POST', template: '/runs', access: 'write', scopes: ['payroll.run'] },
  { id: 'payroll/report', method: 'GET', template: '/reports', access: 'read' },
].map((each) => Endpoint.parse(each));

const joins = (who: string, department: string, title?: string): ModelCommand => ({
  kind: 'join',
  principal: who as PrincipalId,
  attributes: { department, ...(title !== undefined && { title }) },
});
const defines = (role: string, rules: object): ModelCommand => ({
  kind: 'define-role',
  role: RoleName.parse(role),
  rules: RoleRules.parse(rules),
});
const holds = (subject: string, role: string, conditions?: object): ModelCommand => ({
  kind: 'issue-grant',
  subject: SubjectId.parse(subject),
  role: RoleName.parse(role),
  reason: 'test',
  ...(conditions && { conditions }),
});
const groups = (group: string, ...members: string[]): ModelCommand => ({
  kind: 'change-group',
  group: group as GroupId,
  add: members as Member[],
  remove: [],
});
const log = (...commands: ModelCommand[]) => {
  const told = trialLog();
  told.tell({ kind: 'publish-schema', text: gateSchema });
  told.tell({ kind: 'publish-routes', service: { name: 'payroll', mount: '/payroll', endpoints } });
  told.tell(...commands);
  return told;
};
const call = (who: string, path: string, more: object = {}) => ({
  id: 'd',
  at: '2026-11-20T08:00:00.000Z',
  outcome: 'allow',
  observed: 'no-grant',
  principal: who,
  method: 'GET',
  path: `/payroll${path}`,
  ...more,
});
async function* lines(records: readonly object[]) {
  for (const record of records) yield JSON.stringify(record);
}
const suggested = async (facts: readonly FactDraft[], ...records: object[]) => {
  await using live = await foldLog(bench, facts);
  return await suggest({ live, uses: readUses(lines(records)) });
};
const shortly = ({ proposals, grants }: Awaited<ReturnType<typeof suggested>>) => [
  ...proposals.map(({ role, rules, holders }) => [
    role,
    rules.allows.map((each) =>
      'endpoint' in each ? each.endpoint : 'object' in each ? `${each.object}#${each.permission}` : '',
    ),
    rules.birthright ?? holders,
  ]),
  ...grants.map(({ role, subject }) => [role, subject]),
];

describe('suggest', () => {
  test('a need that most of a department has is its birthright; one of a few is theirs alone', async () => {
    const people = [1, 2, 3, 4].map((n) => joins(`user:f${n}`, 'finance'));
    const { facts } = log(...people, joins('user:s1', 'sales'), joins('user:s2', 'sales'), joins('user:s3', 'sales'));
    const result = await suggested(
      facts,
      ...[1, 2, 3].map((n) => call(`user:f${n}`, '/employees')),
      call('user:f1', '/reports'),
      call('user:s1', '/employees'),
    );
    assert.deepEqual(shortly(result), [
      ['used-by-finance', ['payroll/list'], { department: 'finance' }],
      ['used-by-user-f1', ['payroll/report'], ['user:f1']],
      ['used-by-user-s1', ['payroll/list'], ['user:s1']],
    ]);
    assert.match(result.proposals[0]?.for ?? '', /department finance: used by 3 of 4/);
    assert.deepEqual(result.remaining, []);
  });

  test('those who need the same share a role, a group before its members, and a live role that fits before a new one', async () => {
    const { facts } = log(
      ...['a', 'b', 'c', 'd', 'e'].map((name) => joins(`user:${name}`, name)),
      joins('workload:w1', 'machines'),
      joins('workload:w2', 'machines'),
      ...['x1', 'x2', 'x3'].map((name) => joins(`workload:${name}`, 'machines')),
      groups('group:pair', 'user:a', 'user:b'),
      groups('group:all', 'group:pair', 'user:c', 'user:d', 'user:e'),
      defines('lister', { allows: [{ endpoint: 'payroll/list' }] }),
      defines('wide', { allows: [{ service: 'payroll', access: 'read' }] }),
    );
    const result = await suggested(
      facts,
      call('user:a', '/reports'),
      call('user:b', '/reports'),
      call('workload:w1', '/employees'),
      call('workload:w2', '/employees'),
    );
    assert.deepEqual(shortly(result), [
      ['used-by-pair', ['payroll/report'], ['group:pair#member']],
      ['lister', 'workload:w1'],
      ['lister', 'workload:w2'],
    ]);
    const apart = await suggested(facts, call('workload:w1', '/reports'), call('workload:w2', '/reports'));
    assert.deepEqual(shortly(apart), [['uses-payroll-report', ['payroll/report'], ['workload:w1', 'workload:w2']]]);
  });

  test('an object that is asked for is proposed where it is one of a few, and said where it is one of many', async () => {
    const facts = log(joins('user:ann', 'hr'), joins('user:ben', 'sales'));
    facts.add('postern.object.related.v1', { object: 'employee:7', relation: 'manager', subject: 'user:ben' });
    const few = await suggested(facts.facts, call('user:ann', '/employees/7'), call('user:ben', '/employees/7'));
    assert.deepEqual(shortly(few), [
      ['used-by-hr', ['employee:7#view', 'payroll/one'], { department: 'hr' }],
      ['used-by-sales', ['payroll/one'], { department: 'sales' }],
    ]);
    assert.deepEqual([few.remaining, [...few.asksFor]], [[], [['payroll/one', ['employee#view']]]]);
    const many = await suggested(
      facts.facts,
      ...Array.from({ length: 20 }, (_, n) => call('user:ann', `/employees/${n + 100}`)),
    );
    assert.deepEqual(shortly(many), [['used-by-hr', ['payroll/one'], { department: 'hr' }]]);
    assert.deepEqual(
      many.remaining.map(({ kind, uses, callers }) => [kind, uses, callers]),
      [['object', 20, 1]],
    );
    const diff = suggestionDiff(many, { file: 'roles.yaml', text: '' });
    assert.match(diff, /payroll\/one.*# each call also asks for employee#view of its object/);
  });

  test('neither a scope that a token lacks, nor a condition that is not met, nor a stranger is answered by a role', async () => {
    const { facts } = log(
      joins('user:ann', 'hr'),
      joins('user:ben', 'sales'),
      defines('office', { allows: [{ endpoint: 'payroll/list' }] }),
      holds('user:ben', 'office', { cidrs: ['10.0.0.0/8'] }),
    );
    const post = { method: 'POST', observed: 'scope-missing', scopes: ['other'] };
    const result = await suggested(
      facts,
      call('user:ann', '/runs', post),
      call('user:ben', '/employees', { observed: 'condition-unmet', ip: '192.0.2.1' }),
      call('user:nobody', '/reports'),
      call('user:ann', '/runs', { ...post, outcome: 'deny', observed: undefined, reason: 'scope-missing' }),
    );
    assert.deepEqual(shortly(result), []);
    assert.deepEqual(result.remaining.map(({ kind, uses }) => [kind, uses]).sort(), [
      ['condition', 1],
      ['scope', 1],
      ['stranger', 1],
    ]);
  });

  test('a key that lacks what its owner has is what the grant is proposed for, and every operation of a call counts', async () => {
    const key = CredentialId.parse('credential:k1');
    const { facts } = log(
      joins('user:ann', 'hr'),
      defines('wide', { allows: [{ service: 'payroll', access: 'read' }] }),
      holds('user:ann', 'wide'),
      {
        kind: 'issue-key',
        credential: key,
        owner: 'user:ann' as PrincipalId,
        digest: 'a'.repeat(43),
        roles: [],
        reason: 'test',
      },
    );
    assert.deepEqual(shortly(await suggested(facts, call('user:ann', '/reports', { credential: key }))), [
      ['used-by-credential-k1', ['payroll/report'], ['credential:k1']],
    ]);
  });

  test('the diff applies to whatever roles.yaml looks like, and what it leaves is the roles there were and the new ones', async () => {
    const { facts } = log(joins('user:ann', 'hr'));
    const result = await suggested(facts, call('user:ann', '/reports'), call('user:ann', '/employees'));
    const folder = mkdtempSync(join(tmpdir(), 'postern-diff-'));
    try {
      execFileSync('git', ['init', '-q'], { cwd: folder });
      const clerk = 'clerk:\n  allows:\n    - { endpoint: payroll/list }\n';
      for (const text of [
        '',
        '\n',
        '{}\n',
        '# roles\n{}\n',
        '# none yet\n',
        clerk,
        clerk.trimEnd(),
        `${clerk}\n\n`,
        clerk.replaceAll('\n', '\r\n'),
      ])
        for (const apply of [
          ['git', ['apply', 'roles.diff']],
          ['patch', ['-p1', '--binary', '-i', 'roles.diff']],
        ] as const) {
          writeFileSync(join(folder, 'roles.yaml'), text);
          writeFileSync(join(folder, 'roles.diff'), suggestionDiff(result, { file: './roles.yaml', text }));
          execFileSync(apply[0], apply[1], { cwd: folder });
          const after = readFileSync(join(folder, 'roles.yaml'), 'utf8');
          const roles = RolesYaml.parse(parse(after));
          const expected = text.includes('clerk') ? ['clerk', 'used-by-hr'] : ['used-by-hr'];
          assert.deepEqual(Object.keys(roles), expected, `${apply[0]}: ${JSON.stringify(text)}`);
          if (text.includes('\r')) assert.doesNotMatch(after, /[^\r]\n/);
        }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
