import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CredentialId, type EndpointId, GroupId, type SubjectId } from '@postern/schemas';
import type { Command } from '../decide/command.ts';
import { days, defines, gives, joins, moving, person, role } from '../decide/life-story.ts';
import { csvText } from './csv.ts';
import { dormantReport, dutiesReport, keysReport, leaversReport, moversReport, wideRolesReport } from './rows.ts';
import { usesOf } from './use.ts';

const team = GroupId.parse('group:team');
const routes: Command = {
  kind: 'publish-routes',
  service: {
    name: 'payroll',
    mount: '/payroll',
    endpoints: ['list', 'read', 'pay'].map((name) => ({
      id: `payroll/${name}` as EndpointId,
      method: 'GET',
      template: `/${name}`,
      access: name === 'pay' ? 'write' : 'read',
    })),
  },
};
const toTeam = (what: string): Command => ({
  kind: 'issue-grant',
  subject: `${team}#member` as SubjectId,
  role: role(what),
  reason: '=team',
});
const start = Date.parse('2026-11-24T08:00:00.000Z');
const office = () =>
  moving(
    routes,
    defines('reader'),
    defines('payer', { allows: [{ endpoint: 'payroll/pay' }] }),
    defines('viewer', { allows: [{ object: 'employee:*', permission: 'view' }] }),
    joins('ann'),
    joins('bob'),
    { kind: 'change-group', group: team, add: [person('bob')], remove: [] },
    gives('ann', 'reader'),
    gives('ann', 'payer'),
    gives('ann', 'viewer'),
    toTeam('reader'),
  );
const used = (subject: string, endpoint: string, at: number, actor?: string) => ({
  subject,
  endpoint: `payroll/${endpoint}`,
  at: new Date(at).toISOString(),
  ...(actor !== undefined && { actor }),
});

test('dormant is what is old enough and was not used; a group is used by any member, and what cannot be told is not listed', () => {
  const { organisation } = office();
  const now = start + days(100);
  const uses = usesOf(organisation, [
    used('user:ann', 'list', start + days(99)),
    used('user:ann', 'pay', start + days(5)),
    used('user:bob', 'read', start + days(50)),
  ]);
  const listed = (unused: number) =>
    dormantReport(organisation, uses, unused, now).rows.map(
      (row) => `${row['subject']} ${row['role']} ${row['unusedDays']}`,
    );
  assert.deepEqual(listed(days(90)), ['user:ann payer 95']);
  assert.deepEqual(listed(days(40)), ['user:ann payer 95', 'group:team#member reader 50']);
  assert.deepEqual(listed(days(101)), [], 'nothing is that old');
});

test('a role is wide by what none of its holders used', () => {
  const { organisation } = office();
  const uses = usesOf(organisation, [
    used('user:ann', 'list', start),
    used('user:eve', 'read', start),
    used('user:ann', 'pay', start),
  ]);
  assert.deepEqual(wideRolesReport(organisation, uses).rows, [
    { role: 'reader', holders: 2, opens: 2, used: 1, unused: 'payroll/read' },
  ]);
});

test('keys without an end, unused or run out are listed, each with what is wrong', () => {
  const told = office();
  const issue = (name: string, until?: string): Command => ({
    kind: 'issue-key',
    credential: `credential:${name}` as CredentialId,
    owner: person('ann'),
    digest: name.padStart(43, 'k'),
    roles: [role('reader')],
    until,
    reason: 'x',
  });
  told.run(issue('old'));
  told.run(issue('over', '2026-11-30T00:00:00Z'));
  told.run(issue('good', '2027-11-30T00:00:00Z'));
  const now = start + days(100);
  const uses = usesOf(told.organisation, [
    used('user:ann', 'list', now, 'credential:good'),
    used('user:ann', 'list', now, 'credential:over'),
  ]);
  assert.deepEqual(
    keysReport(told.organisation, uses, days(90), now).rows.map((row) => `${row['key']}: ${row['what']}`),
    ['credential:old: unused, no end', 'credential:over: run out'],
  );
});

test('whoever holds both halves from before they were separate is named, with the group that gives one', () => {
  const told = office();
  told.run(gives('bob', 'payer'));
  assert.deepEqual(dutiesReport(told.organisation).rows, []);
  told.run(defines('payer', { allows: [{ endpoint: 'payroll/pay' }], separateFrom: ['reader'] }));
  assert.deepEqual(dutiesReport(told.organisation).rows, [
    { person: 'user:ann', state: 'holds both', one: 'reader', other: 'payer' },
    { person: 'user:bob', state: 'holds both', one: 'reader through group:team#member', other: 'payer' },
  ]);
});

test('of movers, grants are listed until they were looked at, and groups that give roles for as long as is asked', () => {
  const told = office();
  assert.deepEqual(moversReport(told.organisation, days(90), start).rows, []);
  told.run({ kind: 'move', principal: person('ann'), attributes: { department: 'hr' } });
  told.run({ kind: 'move', principal: person('bob'), attributes: { department: 'hr' } });
  const listed = (now: number) =>
    moversReport(told.organisation, days(90), now).rows.map((row) => `${row['subject']} ${row['role']} ${row['as']}`);
  const anns = ['user:ann reader grant', 'user:ann payer grant', 'user:ann viewer grant'];
  assert.deepEqual(listed(start), [...anns, 'user:bob reader membership']);
  assert.deepEqual(listed(start + days(91)), anns);
});

test('a leaver who still held something would be listed: here is one, put there past the facts', () => {
  const told = office();
  told.run({ kind: 'leave', principal: person('ann') });
  told.run({ kind: 'leave', principal: person('bob') });
  assert.deepEqual(leaversReport(told.organisation).rows, []);
  told.organisation.groups.change(team, [person('bob')], []);
  assert.deepEqual(
    leaversReport(told.organisation).rows.map((row) => [row['principal'], row['holds'], row['id']]),
    [['user:bob', 'membership', 'group:team']],
  );
});

test('CSV is quoted, and no cell is run as a formula by whoever opens it', () => {
  const { organisation } = office();
  const text = csvText(dormantReport(organisation, usesOf(organisation, []), 0, start + days(1)));
  assert.match(text, /^subject,role,lastUsed,/);
  assert.match(text, /,'=team,/);
  assert.equal(csvText({ columns: ['a', 'b'], rows: [{ a: 'x,"y"', b: undefined }] }), 'a,b\r\n"x,""y""",\r\n');
});
