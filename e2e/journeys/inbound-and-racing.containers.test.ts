/** What only many processes can get wrong: an HR system's own topic, and two instances of grants that write one log. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { distributedWorld } from '../world/distributed.ts';
import { factsIn } from '../world/read-back.ts';
import { change, enforced, eventually, isRefused, joined, left, passes } from './expectations.ts';
import { recorded, rowsOf } from './record.ts';
import { staged } from './staging.ts';

// Any topic may be a feed; the event log's own client writes one with headers, so it stands in for the HR system's.
const topic = 'hr.quarantine';
const world = staged(() => distributedWorld({ grants: 2, feeds: [topic] }));
const employees = '/payroll/employees';
const structured = { 'content-type': 'application/cloudevents+json' };

test('events of an HR topic are taken in both modes; a broken one goes to quarantine with its bytes, and blocks nothing', async () => {
  const w = world();
  await using hr = await openEventLog(`kafka://${w.kafka.brokers}/hr`);
  const broken = Buffer.from('{"specversion":"1.0","id":"broken", not JSON \u00ff', 'latin1');
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const event = { specversion: '1.0', id: 'topic-1', source: '/hr/topic', ...joined('user:petra', 'finance') };
  await hr.quarantine.publish([
    { key: 'hr', bytes: Buffer.from(JSON.stringify(event)), headers: structured },
    { key: 'hr', bytes: broken, headers: structured },
    // Comes twice, as a topic may deliver it.
    { key: 'hr', bytes: Buffer.from(JSON.stringify(event)), headers: structured },
    {
      key: 'hr',
      bytes: Buffer.from('{"department":"finance"}'),
      headers: {
        'content-type': 'application/json',
        ce_specversion: '1.0',
        ce_id: 'topic-2',
        ce_source: '/hr/topic',
        ce_type: 'postern.person.joined.v1',
        ce_subject: 'user:quinn',
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      },
    },
  ]);
  await recorded(w, 'facts?subject=user:quinn&type=postern.principal.joined.v1');
  for (const subject of ['petra', 'quinn']) await passes(w, employees, { as: { token: await w.token(subject) } });
  const petra = await w.call('/.postern/audit/facts?subject=user:petra&type=postern.principal.joined.v1');
  assert.equal(rowsOf(petra).length, 1, 'the repetition is known');
  assert.equal((await recorded(w, `facts?trace=${traceId}`))['subject'], 'user:quinn');

  const quarantined = await recorded(w, 'facts?type=postern.event.quarantined.v1');
  const data = quarantined.body['data'] as Record<string, unknown>;
  assert.deepEqual([data['from'], data['digest']], [topic, createHash('sha256').update(broken).digest('base64url')]);
  await using log = await openEventLog(w.eventLogUrl);
  const read = new AbortController();
  const kept: Uint8Array[] = [];
  for await (const { records, atEnd } of log.quarantine.follow({}, { signal: read.signal })) {
    kept.push(...records.map(({ bytes }) => bytes));
    if (atEnd) read.abort();
  }
  assert.deepEqual(
    kept.map((bytes) => Buffer.from(bytes)),
    [broken],
  );
});

test('a topic that is configured while everything runs is read; one that is not there holds up no other', async () => {
  const w = world();
  await using hr = await openEventLog(`kafka://${w.kafka.brokers}/second`);
  const kafka = (name: string) => ({ kafka: `kafka://${w.kafka.brokers}/${name}` });
  const event = { specversion: '1.0', id: 'second-1', source: '/hr/second', ...joined('user:sven', 'finance') };
  await hr.quarantine.publish([{ key: 'hr', bytes: Buffer.from(JSON.stringify(event)), headers: structured }]);
  await w.reconfigure((config) => ({
    ...config,
    feeds: [{ kafka: `kafka://${w.kafka.brokers}/${topic}` }, kafka('no.such.topic'), kafka('second.quarantine')],
  }));
  await recorded(w, 'facts?subject=user:sven&type=postern.principal.joined.v1');
  await w.reconfigure((config) => config);
});

test('what a topic brought and could not be applied is put right and replayed, by either instance, and what is dated ahead is enacted once', async () => {
  const w = world();
  await using hr = await openEventLog(`kafka://${w.kafka.brokers}/hr`);
  const due = new Date(Date.now() + 4_000).toISOString();
  const events = [
    { id: 'q-1', type: 'postern.person.moved.v1', subject: 'user:quentin', data: { department: 'finance' } },
    { id: 'q-2', ...joined('user:rita', 'finance') },
    { id: 'q-3', type: 'postern.person.left.v1', subject: 'user:rita', data: { effective: due } },
  ].map((event) => ({ specversion: '1.0', source: '/hr/fix', ...event }));
  await hr.quarantine.publish([
    {
      key: 'hr',
      bytes: Buffer.from(JSON.stringify(events)),
      headers: { 'content-type': 'application/cloudevents-batch+json' },
    },
  ]);
  await recorded(w, 'facts?subject=user:rita&type=postern.principal.joined.v1');
  const listed = await w.call('/.postern/feeds/quarantine', { gate: 1 });
  const item = (listed.body['items'] as { id: string; event?: { id: string } }[]).find(
    ({ event }) => event?.id === 'q-1',
  );
  const path = `/.postern/feeds/quarantine/${item?.id}/replay?wait=enforced`;
  assert.equal((await w.call(path, { method: 'POST', gate: 1 })).status, 422);
  await enforced(w, joined('user:quentin'));
  const replayed = await w.call(path, { method: 'POST', gate: 1 });
  assert.equal(replayed.status, 200, replayed.text);
  await passes(w, employees, { as: { token: await w.token('quentin') } });

  await recorded(w, 'facts?subject=user:rita&type=postern.principal.left.v1');
  await isRefused(w, employees, { as: { token: await w.token('rita') } });
  const rita = (await factsIn(w.eventLogUrl)).filter(({ envelope }) => envelope.subject === 'user:rita');
  const count = (type: string) => rita.filter(({ envelope }) => envelope.type === type).length;
  assert.deepEqual([count('postern.principal.left.v1'), count('postern.event.unscheduled.v1')], [1, 1]);
  const leaving = rita.find(({ envelope }) => envelope.type === 'postern.principal.left.v1')?.envelope;
  assert.ok((leaving?.recordedtime ?? '') >= due, 'not early');
});

test('two instances of grants that race with the same and with different commands lose nothing and write nothing twice', async () => {
  const w = world();
  const rounds = Array.from({ length: 25 }, (_, index) => index);
  await enforced(w, { type: 'postern.group.changed.v1', subject: 'group:racers', data: {} });
  const statuses: number[] = [];
  const send = async (event: Parameters<typeof w.send>[0], gate: number): Promise<void> => {
    const { status, text } = await w.send(event, { gate });
    assert.equal(status, 202, text);
    statuses.push(status);
  };
  for (const round of rounds) {
    const both = { id: `race-${round}`, source: '/e2e/race', ...joined(`user:racer-${round}`) };
    await Promise.all([
      send(both, 0),
      send(both, 1),
      send({ ...joined(`user:left-${round}`) }, 0),
      send({ ...joined(`user:right-${round}`) }, 1),
    ]);
    const add = (subject: string, gate: number) =>
      send({ type: 'postern.group.changed.v1', subject: 'group:racers', data: { add: [subject] } }, gate);
    await Promise.all([add(`user:racer-${round}`, 0), add(`user:left-${round}`, 0), add(`user:right-${round}`, 1)]);
  }
  assert.equal(statuses.length, rounds.length * 7);

  const facts = await factsIn(w.eventLogUrl);
  assert.deepEqual(
    facts.map(({ sequence }) => sequence),
    facts.map((_, index) => index + 1),
    'the sequences are dense',
  );
  const count = (type: string, subject: string) =>
    facts.filter(({ envelope }) => envelope.type === type && envelope.subject === subject).length;
  for (const round of rounds)
    for (const name of ['racer', 'left', 'right'])
      assert.equal(count('postern.principal.joined.v1', `user:${name}-${round}`), 1, `${name}-${round} joined once`);

  // The whole of it as the graph sees it: whoever is in the group reads the payroll.
  await change(w, 'POST', '/grants', { subject: 'group:racers#member', role: 'payroll-reader', reason: 'race' }, 201);
  for (const round of [0, 12, 24])
    for (const name of ['racer', 'left', 'right'])
      await passes(w, employees, { as: { token: await w.token(`${name}-${round}`) } });
  await eventually('the record has caught up', async () => {
    const { body } = await w.call('/.postern/audit/facts?limit=1');
    return Number(body['size']) >= facts.length || undefined;
  });
});

test('an instance of grants that is killed misses nothing: requests go on meanwhile, and it knows what came before', async () => {
  const w = world();
  const as = { token: await w.token('rosa') };
  const event = { ...joined('user:rosa', 'finance'), id: 'rosa-1', source: '/e2e/restart' };
  const first = await enforced(w, event);
  await passes(w, employees, { as });
  await w.stop('grants-1', 'SIGKILL');
  await passes(w, employees, { as });
  assert.equal((await w.send(event, { gate: 0 })).status, 502, 'its own instance is away');
  const other = await w.send(
    { ...left('user:rosa'), id: 'rosa-2', source: '/e2e/restart' },
    { gate: 1, wait: 'enforced' },
  );
  assert.equal(other.body['enforced'], true, other.text);
  await isRefused(w, employees, { as });
  await w.start('grants-1');
  const again = await w.send(event, { gate: 0 });
  assert.deepEqual([again.status, again.body['sequence'], again.body['repeated']], [202, first.body['sequence'], true]);
  await isRefused(w, employees, { as });
  await enforced(w, joined('user:rosa', 'finance'));
  await passes(w, employees, { as });
});
