/**
 * Whatever is asked, approved, moved, joined, taken in an emergency or given directly, in whatever order: nobody is given a role on
 * request without the people that its rule names, and nobody ever holds both halves of what is kept separate. The judge below is
 * written on its own: it reads the facts and the graph, and none of the deciders.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CredentialId,
  durationMs,
  type Fact,
  GroupId,
  isProblem,
  type Organisation,
  type PrincipalId,
  type RoleRules,
} from '@postern/schemas';
import fc from 'fast-check';
import type { Command } from '../decide/command.ts';
import { defines, gives, joins, moving, person, role } from '../decide/life-story.ts';

const seed = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 1e9));
const names = ['ann', 'bob', 'cat', 'dan', 'eve'];
const roles = ['enter', 'check', 'audit', 'plain'];
const separate = [
  ['enter', 'check'],
  ['check', 'audit'],
] as const;
const team = GroupId.parse('group:team');

const beginning: readonly Command[] = [
  defines('approver'),
  defines('enter', { approvers: ['manager', 'role:approver'], separateFrom: ['check'], maxDuration: '8h' }),
  defines('check', {
    approvers: ['manager', 'role:approver'],
    approvals: 'all',
    birthright: { department: 'control' },
    breakGlass: { for: ['role:approver'] },
  }),
  defines('audit', { approvers: ['role:approver', 'owner'], owner: 'user:dan', approvals: 2, separateFrom: ['check'] }),
  defines('plain', { approvers: ['manager'] }),
  ...names.map((name, n) => joins(name, { manager: `user:${names[(n + 1) % names.length]}`, department: 'sales' })),
  gives('cat', 'approver'),
  gives('dan', 'approver'),
  { kind: 'change-group', group: team, add: [], remove: [] },
];

type Pick = <Item>(items: readonly Item[]) => Item;
type Told = ReturnType<typeof moving>;

const anyone = (pick: Pick, told: Told) => {
  const keys = [...told.organisation.credentials.values()];
  const key = keys.length > 0 && pick([true, false, false, false]) ? pick(keys) : undefined;
  const through = pick([[], [], [], [], [], [], [], [], ['user:ann'], ['workload:agent']]);
  return key === undefined
    ? { principal: person(pick(names)), through }
    : { principal: key.owner, credential: key.id, through };
};

type Make = () => Command | undefined;
const times = (count: number, make: Make): Make[] => Array.from({ length: count }, () => make);

/** Some command that may or may not be refused; undefined where there is nothing to choose from. */
const command = (pick: Pick, told: Told, n: number): Command | undefined => {
  const { requests, breakGlass } = told.organisation.life;
  const open = requests.open();
  const grants = [...told.organisation.grants.values()];
  const name = pick(names);
  const kinds: readonly Make[] = [
    ...times(4, () => ({
      kind: 'ask-for-role',
      subject: person(pick(names)),
      requester: person(name),
      role: role(pick(roles)),
      duration: pick([undefined, '1h', '8h', '9h']),
      reason: 'x',
    })),
    ...times(3, () => {
      const grant = grants.length === 0 ? undefined : pick(grants);
      if (grant === undefined || !grant.subject.startsWith('user:')) return undefined;
      const subject = grant.subject as unknown as PrincipalId;
      return { kind: 'ask-for-role', subject, requester: subject, role: grant.role, extends: grant.id, reason: 'x' };
    }),
    ...times(14, () =>
      open.length === 0 ? undefined : { kind: 'approve-request', request: pick(open).id, deciding: anyone(pick, told) },
    ),
    () =>
      open.length === 0
        ? undefined
        : { kind: 'deny-request', request: pick(open).id, deciding: anyone(pick, told), reason: 'x' },
    () => ({ kind: 'open-break-glass', role: role('check'), deciding: anyone(pick, told), reason: 'x' }),
    () => {
      const uses = breakGlass.all();
      return uses.length === 0
        ? undefined
        : {
            kind: 'review-break-glass',
            use: pick(uses).id,
            deciding: anyone(pick, told),
            verdict: 'unjustified',
            reason: 'x',
          };
    },
    () => ({
      kind: 'move',
      principal: person(name),
      attributes: pick([{ department: 'control' }, { department: 'sales' }, { manager: person(pick(names)) }]),
    }),
    () => ({ kind: 'change-group', group: team, add: [person(name)], remove: [person(pick(names))] }),
    () => ({
      kind: 'issue-grant',
      subject: pick([`${team}#member`, person(name)]) as never,
      role: role(pick([...roles, 'approver'])),
      reason: 'x',
    }),
    () => (grants.length === 0 ? undefined : { kind: 'revoke-grant', grant: pick(grants).id, reason: 'x' }),
    () => ({
      kind: 'issue-key',
      credential: `credential:k${n}` as CredentialId,
      owner: person(name),
      digest: String(n).padStart(43, 'k'),
      roles: [role('approver')],
      reason: 'x',
    }),
    () => (n % 5 === 0 ? { kind: 'leave', principal: person(name) } : undefined),
    () => ({
      kind: 'join',
      principal: person(name),
      attributes: { manager: person(pick(names)), department: 'sales' },
    }),
    () => ({ kind: 'restore-birthrights' }),
    () => ({ kind: 'expire-grants' }),
    () => ({ kind: 'lapse-requests' }),
  ];
  return pick(kinds)();
};

/** As the graph has it: who holds a role, through the group or not. */
const holders = (organisation: Organisation, wanted: string): Set<string> => {
  const found = new Set<string>();
  const members = organisation.groups.direct(team);
  for (const { resource, relation, subject } of organisation.relationships())
    if (resource === `role:${wanted}` && relation === 'holder')
      for (const each of subject.includes('#') ? members : [subject]) found.add(each);
  return found;
};

const mayApprove = (
  organisation: Organisation,
  named: string,
  who: string,
  subject: string,
  rules: RoleRules,
): boolean => {
  if (organisation.principals.get(who as PrincipalId)?.state !== 'active') return false;
  if (named === 'manager') return organisation.principals.get(subject as PrincipalId)?.attributes.manager === who;
  if (named === 'owner') return rules.owner === who;
  return holders(organisation, 'approver').has(who);
};

/** Every way of giving each of the rule's approvers a person of its own. */
const eachHasOne = (
  wanted: readonly string[],
  people: readonly string[],
  fits: (named: string, who: string) => boolean,
): boolean => {
  const [first, ...rest] = wanted;
  if (first === undefined) return true;
  return people.some(
    (who) =>
      fits(first, who) &&
      eachHasOne(
        rest,
        people.filter((each) => each !== who),
        fits,
      ),
  );
};

const judge = (
  facts: readonly Fact[],
  before: Organisation,
  keyShownTo: ReadonlyMap<string, string>,
  asked: Command,
): void => {
  for (const { type, data, recordedtime } of facts) {
    if (type !== 'postern.grant.issued.v1' || asked.kind !== 'approve-request') continue;
    const { subject, role: name, approvals = [], request } = data;
    const rules = before.roles.get(name);
    const question = request && before.life.requests.get(request);
    assert.ok(rules && question && request === asked.request, 'the grant names the request that was approved');
    const people = approvals.map(({ by }) => by);
    assert.equal(new Set(people).size, people.length, 'each of them is another person');
    for (const who of people) assert.ok(who !== subject && who !== question.requester, `${who} is not oneself`);
    const { credential, principal, through } = asked.deciding;
    assert.deepEqual(through, []);
    assert.ok(people.includes(principal), 'the last yes counts');
    const shownTo = credential && keyShownTo.get(credential);
    assert.ok(shownTo === undefined || (shownTo !== subject && shownTo !== question.requester), 'nor a key of theirs');
    const fits = (named: string, who: string) => mayApprove(before, named, who, subject, rules);
    const { approvers = [], approvals: needed = 1 } = rules;
    if (needed === 'all') assert.ok(eachHasOne(approvers, people, fits), `${people} for ${approvers}`);
    else assert.ok(people.filter((who) => approvers.some((named) => fits(named, who))).length >= needed, `${people}`);
    const until = data.conditions?.until;
    assert.ok(until !== undefined, 'it ends');
    if (rules.maxDuration)
      assert.ok(Date.parse(until) - Date.parse(recordedtime) <= durationMs(rules.maxDuration), 'and in time');
  }
};

test(`no order of requests, approvals and all else gives a role without the people its rule names, or both separate halves (seed ${seed})`, () => {
  const issued = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), { minLength: 40, maxLength: 120 }),
      (steps) => {
        const told = moving(...beginning);
        const keyShownTo = new Map<string, string>();
        for (const [n, choices] of steps.entries()) {
          let at = 0;
          const pick: Pick = (items) => items[(choices[at++ % choices.length] ?? 0) % items.length] as never;
          told.later(pick([0, 0, 60_000, 3_600_000]));
          told.by(pick(names));
          const next = command(pick, told, n);
          if (next === undefined) continue;
          let facts: Fact[];
          const head = told.organisation.sequence;
          try {
            facts = told.run(next, (drafted) => judge(drafted, told.organisation, keyShownTo, next));
          } catch (error) {
            if (!isProblem(error)) throw error;
            assert.equal(told.organisation.sequence, head, 'what is refused changes nothing');
            continue;
          }
          for (const { type, data, authid } of facts) {
            if (type === 'postern.credential.issued.v1') keyShownTo.set(data.credential, authid);
            if (type === 'postern.grant.issued.v1') issued.set(next.kind, (issued.get(next.kind) ?? 0) + 1);
          }
          for (const [one, other] of separate) {
            const others = holders(told.organisation, other);
            const both = [...holders(told.organisation, one)].filter((who) => others.has(who));
            assert.deepEqual(both, [], `both ${one} and ${other} after ${JSON.stringify(next)}`);
          }
        }
      },
    ),
    { numRuns: 500, seed },
  );
  // A property that never sees a grant shows nothing.
  for (const kind of ['approve-request', 'open-break-glass', 'move', 'issue-grant'])
    assert.ok((issued.get(kind) ?? 0) > 20, `${kind} gave ${issued.get(kind) ?? 0} grants`);
});
