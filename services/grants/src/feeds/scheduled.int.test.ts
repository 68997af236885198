import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { type Clock, systemClock } from '@postern/runtime';
import { openRoom, type TestRoom } from './testing/open-room.ts';

/** A clock that a test moves; `elapsed` goes on by itself. */
const movedClock = (start: string): Clock & { set: (instant: string) => void } => {
  let now = Date.parse(start);
  return {
    ...systemClock,
    now: () => now,
    set: (instant) => {
      now = Date.parse(instant);
    },
  };
};
const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  const end = systemClock.elapsed() + 20_000;
  while (!(await holds())) {
    assert.ok(systemClock.elapsed() < end, `it never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
const stateOf = async ({ call }: TestRoom, person: string) =>
  (await call('GET', `/principals/user:${person}`)).body['state'];
const event = (id: string, type: string, person: string, data: object = {}) => ({
  id,
  type: `postern.person.${type}.v1`,
  subject: `user:${person}`,
  data,
});

test('an event that is dated ahead waits through a restart and takes effect on time, once, with two instances at work', async () => {
  await using log = await openEventLog('memory:');
  const clock = movedClock('2026-11-24T08:00:00Z');
  {
    await using first = await openRoom(log, { clock });
    await first.send(event('j', 'joined', 'ann', { department: 'finance' }));
    const waits = await first.send(event('l', 'left', 'ann', { effective: '2026-12-01T00:00:00+01:00' }));
    assert.deepEqual(
      [waits.status, waits.body['effect'], waits.body['due']],
      [202, 'scheduled', '2026-11-30T23:00:00.000Z'],
    );
  }
  await using one = await openRoom(log, { clock });
  await using two = await openRoom(log, { clock });
  const { body } = await two.call('GET', '/feeds/scheduled');
  assert.deepEqual(
    (body['items'] as { due: string; event: { id: string } }[]).map(({ due, event: { id } }) => [due, id]),
    [['2026-11-30T23:00:00.000Z', 'l']],
  );
  clock.set('2026-11-30T22:59:59.999Z');
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(await stateOf(one, 'ann'), 'active', 'not a millisecond early');
  clock.set('2026-11-30T23:00:00Z');
  await until(
    'ann leaves',
    async () => (await stateOf(one, 'ann')) === 'left' && (await stateOf(two, 'ann')) === 'left',
  );
  await new Promise((resolve) => setTimeout(resolve, 400));
  const facts = await one.facts();
  const left = facts.filter(({ type }) => type === 'postern.principal.left.v1');
  assert.equal(left.length, 1);
  assert.deepEqual(
    [left[0]?.time, left[0]?.recordedtime, left[0]?.causationid],
    [
      '2026-11-30T23:00:00.000Z',
      '2026-11-30T23:00:00.000Z',
      facts.find(({ type }) => type === 'postern.event.scheduled.v1')?.id,
    ],
  );
  assert.equal(facts.filter(({ type }) => type === 'postern.event.unscheduled.v1').length, 1);
  const again = await two.send(event('l', 'left', 'ann', { effective: '2026-12-01T00:00:00+01:00' }));
  assert.equal(again.body['repeated'], true);
});

test('by the wall clock it is enacted within a second of its time', async () => {
  await using log = await openEventLog('memory:');
  await using at = await openRoom(log);
  await at.send(event('j', 'joined', 'ann'));
  const due = new Date(Date.now() + 700).toISOString();
  await at.send({ ...event('l', 'left', 'ann'), time: due });
  await until('ann leaves', async () => (await stateOf(at, 'ann')) === 'left');
  const left = (await at.facts()).find(({ type }) => type === 'postern.principal.left.v1');
  const lateMs = Date.parse(left?.recordedtime ?? '') - Date.parse(due);
  assert.ok(lateMs >= 0 && lateMs < 1_000, `${lateMs} ms late`);
});

test('what waits can be cancelled by its sender and by an administrator, who says why', async () => {
  await using log = await openEventLog('memory:');
  const clock = movedClock('2026-11-24T08:00:00Z');
  await using at = await openRoom(log, { clock });
  for (const person of ['ann', 'bob']) {
    await at.send(event(`j-${person}`, 'joined', person));
    await at.send(event(`l-${person}`, 'left', person, { effective: '2026-12-01T00:00:00Z' }));
  }
  const sent = await at.send({ id: 'c', type: 'postern.event.cancelled.v1', data: { event: 'l-ann' } });
  assert.equal(sent.status, 202, JSON.stringify(sent.body));
  const waiting = (await at.call('GET', '/feeds/scheduled')).body['items'] as { id: string; event: { id: string } }[];
  assert.deepEqual(
    waiting.map((each) => each.event.id),
    ['l-bob'],
  );
  const path = `/feeds/scheduled/${waiting[0]?.id}`;
  assert.equal((await at.call('DELETE', path, {})).status, 400);
  assert.equal((await at.call('DELETE', path, { reason: 'stays' }, { as: 'user:gwen' })).status, 200);
  assert.deepEqual(
    [(await at.call('DELETE', path, { reason: 'stays' })).body.type],
    ['urn:postern:problem:grants/not-scheduled'],
  );
  const cancelled = (await at.facts()).filter((fact) => fact.type === 'postern.event.unscheduled.v1');
  assert.deepEqual(
    cancelled.map(({ authid, data }) => [authid, data.outcome, data.by?.id, data.reason]),
    [
      ['user:admin', 'cancelled', 'c', undefined],
      ['user:gwen', 'cancelled', undefined, 'stays'],
    ],
  );
  clock.set('2027-01-01T00:00:00Z');
  await new Promise((resolve) => setTimeout(resolve, 400));
  for (const person of ['ann', 'bob']) assert.equal(await stateOf(at, person), 'active');
});

test('what cannot be applied when it is due lies in quarantine, blocks nothing, and can be replayed for its time', async () => {
  await using log = await openEventLog('memory:');
  const clock = movedClock('2026-11-24T08:00:00Z');
  await using at = await openRoom(log, { clock });
  const effective = '2026-12-01T00:00:00Z';
  const group = (id: string, subject: string, data: object) =>
    at.send({ id, type: 'postern.group.changed.v1', subject: `group:${subject}`, data });
  await group('g0', 'pay', { add: [] });
  await group('g1', 'hr', { add: ['group:pay'] });
  await group('g2', 'pay', { add: ['group:hr'], effective });
  await at.send(event('j', 'joined', 'ann', { effective }));
  clock.set('2026-12-01T00:00:01Z');
  await until('ann joins', async () => (await stateOf(at, 'ann')) === 'active');
  const quarantined = () =>
    at.call('GET', '/feeds/quarantine').then(({ body }) => body['items'] as { id: string; why: string }[]);
  await until('the other is set aside', async () => (await quarantined()).length === 1);
  const [item] = await quarantined();
  assert.match(item?.why ?? '', /group:pay is inside group:hr/);
  await until(
    'it waits no longer',
    async () => ((await at.call('GET', '/feeds/scheduled')).body['items'] as object[]).length === 0,
  );
  await group('g3', 'hr', { remove: ['group:pay'] });
  const replayed = await at.call('POST', `/feeds/quarantine/${item?.id}/replay`, {});
  assert.equal(replayed.status, 200, JSON.stringify(replayed.body));
  const applied = (await at.facts()).findLast(({ type }) => type === 'postern.group.changed.v1');
  assert.partialDeepStrictEqual(applied?.data, { group: 'group:pay', add: ['group:hr'] });
  assert.equal(Date.parse(applied?.time ?? ''), Date.parse(effective));
});

test('what is said of somebody who has not joined waits for them, and is listed', async () => {
  await using log = await openEventLog('memory:');
  await using at = await openRoom(log);
  const early = await at.send({
    ...event('m', 'moved', 'ann', { department: 'finance' }),
    time: '2026-03-02T00:00:00Z',
  });
  assert.deepEqual([early.status, early.body['effect']], [202, 'none']);
  const { body } = await at.call('GET', '/feeds/scheduled');
  assert.deepEqual(body['waiting'], [{ principal: 'user:ann', attributes: { department: 'finance' } }]);
  await at.send({ ...event('j', 'joined', 'ann', { department: 'hr' }), time: '2026-03-01T00:00:00Z' });
  const ann = await at.call('GET', '/principals/user:ann');
  assert.deepEqual(ann.body['attributes'], { department: 'finance' });
});

test('a membership of somebody who has not joined waits for them, is listed, and counts when they come', async () => {
  await using log = await openEventLog('memory:');
  await using at = await openRoom(log);
  const time = '2026-03-02T00:00:00Z';
  const early = { id: 'g', type: 'postern.group.changed.v1', subject: 'group:hr', data: { add: ['user:zoe'] }, time };
  assert.equal((await at.send(early)).status, 202);
  const listed = async () => (await at.call('GET', '/feeds/scheduled')).body['waitingEdges'];
  assert.deepEqual(await listed(), [{ member: 'user:zoe', in: 'group:hr' }]);
  await at.send(event('j', 'joined', 'zoe'));
  assert.deepEqual((await at.call('GET', '/principals/user:zoe')).body['groups'], ['group:hr']);
  assert.deepEqual(await listed(), []);
});
