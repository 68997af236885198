import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EventLog, InboundMessage } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { openRoom, type TestRoom } from './testing/open-room.ts';

const joined = (id: string, person: string, data: object = { department: 'finance' }) => ({
  id,
  type: 'postern.person.joined.v1',
  subject: `user:${person}`,
  data,
});

describe('what cannot be applied', () => {
  let log: EventLog;
  let at: TestRoom;
  before(async () => {
    log = await openEventLog('memory:');
    at = await openRoom(log);
  });
  after(async () => {
    await at[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
  });
  const shelf = async () => {
    const { body } = await at.call('GET', '/feeds/quarantine');
    return body['items'] as { id: string; why: string; from: string; event?: { id: string } }[];
  };
  const idOf = async (event: string): Promise<string> =>
    (await shelf()).find((item) => item.event?.id === event)?.id ?? assert.fail(`${event} is not in quarantine`);

  test('of a batch each event has its own answer, the broken ones lie in quarantine, and none is lost', async () => {
    const batch = [
      joined('b1', 'ann'),
      { type: 'postern.person.joined.v1', subject: 'user:noid' },
      joined('b2', 'ben', { department: 7 }),
      joined('b3', 'cat'),
    ];
    const first = await at.send(batch);
    assert.equal(first.status, 207);
    const results = first.body['results'] as { id?: string; problem?: { type: string; quarantined?: string } }[];
    assert.deepEqual(
      results.map(({ id, problem }) => [id, problem?.type]),
      [
        ['b1', undefined],
        [undefined, 'urn:postern:problem:grants/bad-event'],
        ['b2', 'urn:postern:problem:grants/bad-event'],
        ['b3', undefined],
      ],
    );
    const kept = await shelf();
    assert.deepEqual(
      results.flatMap(({ problem }) => problem?.quarantined ?? []),
      kept.map(({ id }) => id),
    );
    const again = await at.send(batch);
    assert.deepEqual(
      (again.body['results'] as { repeated?: boolean }[]).map(({ repeated }) => repeated),
      [true, undefined, undefined, true],
    );
    assert.deepEqual(await shelf(), kept, 'what is sent again is kept once');
  });

  test('the same id with other content is quarantined and names what came before', async () => {
    await at.send(joined('same', 'dan'));
    const other = await at.send(joined('same', 'dan', { department: 'hr' }));
    assert.deepEqual([other.status, other.body.type], [409, 'urn:postern:problem:grants/event-conflict']);
    const item = (await shelf()).find(({ event }) => event?.id === 'same');
    assert.match(item?.why ?? '', /\/hr sent the id same before, at sequence \d+, with other content/);
  });

  test('what came is shown as it came', async () => {
    const { body } = await at.call('GET', `/feeds/quarantine/${await idOf('b2')}`);
    assert.deepEqual((body['content'] as { data: object }).data, { department: 7 });
    assert.deepEqual(body['headers'], { 'content-type': 'application/cloudevents+json' });
  });

  test('what is put right is applied, by whom and why is in the record, and the sender’s repetition is known', async () => {
    const id = await idOf('b2');
    const stillWrong = { specversion: '1.0', source: '/hr', ...joined('b2', 'ben', { department: '' }) };
    const refused = await at.call('POST', `/feeds/quarantine/${id}/fix`, { content: stillWrong, reason: 'typo' });
    assert.deepEqual([refused.status, refused.body['quarantined']], [400, id]);
    const content = { specversion: '1.0', source: '/hr', ...joined('b2', 'ben') };
    const fixed = await at.call(
      'POST',
      `/feeds/quarantine/${id}/fix`,
      { content, reason: 'HR-7: a number' },
      { as: 'user:gwen' },
    );
    assert.equal(fixed.status, 200, JSON.stringify(fixed.body));
    const released = (await at.facts()).filter(({ type }) => type === 'postern.event.released.v1');
    assert.deepEqual(
      released.map(({ authid, data }) => [authid, (data as { reason?: string }).reason]),
      [['user:gwen', 'HR-7: a number']],
    );
    assert.equal((await at.call('GET', '/principals/user:ben')).body['state'], 'active');
    assert.equal((await at.call('GET', `/feeds/quarantine/${id}`)).status, 404);
    const resent = await at.send(joined('b2', 'ben', { department: 7 }));
    assert.equal(resent.status, 400, 'it cannot be read, now as before');
  });

  test('a fixed event that could be read is, to its sender, the one they sent', async () => {
    const wrong = { id: 'm1', type: 'postern.person.moved.v1', subject: 'user:nobody', data: { department: 'hr' } };
    assert.equal((await at.send(wrong)).status, 422);
    const content = { specversion: '1.0', source: '/hr', ...wrong, subject: 'user:ann' };
    const id = await idOf('m1');
    assert.equal((await at.call('POST', `/feeds/quarantine/${id}/fix`, { content, reason: 'typo' })).status, 200);
    const resent = await at.send(wrong);
    assert.deepEqual([resent.status, resent.body['repeated']], [202, true]);
  });

  test('what is replayed after its cause is gone is applied; before that it stays', async () => {
    const leaves = { id: 'early', type: 'postern.person.left.v1', subject: 'user:eve', data: {} };
    assert.equal((await at.send(leaves)).status, 422);
    const id = await idOf('early');
    const before = await at.call('POST', `/feeds/quarantine/${id}/replay`, {});
    assert.deepEqual(
      [before.status, before.body.type, before.body['quarantined']],
      [422, 'urn:postern:problem:grants/unknown-principal', id],
    );
    await at.send(joined('e1', 'eve'));
    assert.equal((await at.call('POST', `/feeds/quarantine/${id}/replay`, {})).status, 200);
    assert.equal((await at.call('GET', '/principals/user:eve')).body['state'], 'left');
    assert.equal((await at.call('POST', `/feeds/quarantine/${id}/replay`, {})).status, 404, 'once');
  });

  test('what is given up is gone from the list and stays in the record', async () => {
    const id = await idOf('same');
    assert.equal((await at.call('POST', `/feeds/quarantine/${id}/dismiss`, {})).status, 400, 'say why');
    assert.equal((await at.call('POST', `/feeds/quarantine/${id}/dismiss`, { reason: 'sent twice' })).status, 200);
    assert.equal(
      (await shelf()).some((item) => item.id === id),
      false,
    );
    const types = (await at.facts()).filter(({ type, id: fact }) => fact === id || type.includes('released'));
    assert.equal(types.at(-1)?.type, 'postern.event.released.v1');
  });

  test('messages of a topic are answered alike: a broken one, and one of a batch, block nothing behind them', async () => {
    const structured = { 'content-type': 'application/cloudevents+json' };
    const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
    const event = (id: string, person: string, data?: object) => ({
      specversion: '1.0',
      source: '/topic',
      ...joined(id, person, data),
    });
    const messages: InboundMessage[] = [
      { topic: 'hr', position: '0@1', bytes: bytes('{ no JSON'), headers: structured },
      {
        topic: 'hr',
        position: '0@2',
        bytes: bytes([event('t1', 'tom', { department: 1 }), event('t2', 'tim')]),
        headers: { 'content-type': 'application/cloudevents-batch+json' },
      },
      { topic: 'hr', position: '0@3', bytes: bytes(event('t3', 'tia')), headers: structured },
    ];
    const handled = Promise.withResolvers<void>();
    const feed = {
      consume: async (handle: (messages: readonly InboundMessage[]) => Promise<void>) => {
        await handle(messages);
        handled.resolve();
      },
      [Symbol.asyncDispose]: async () => {},
    };
    await using second = await openRoom(log, { feeds: [{ feed }] });
    await handled.promise;
    const { body } = await second.call('GET', '/feeds/quarantine');
    const fromTopic = (body['items'] as { from: string; position: string; id: string }[]).filter(
      ({ from }) => from === 'hr',
    );
    assert.deepEqual(
      fromTopic.map(({ position }) => position),
      ['0@1', '0@2/1'],
    );
    const content = event('t1', 'tom');
    const [broken, wrong] = fromTopic.map(({ id }) => id);
    assert.equal(
      (await second.call('POST', `/feeds/quarantine/${wrong}/fix`, { content, reason: 'typo' })).status,
      200,
    );
    const shown = await second.call('GET', `/feeds/quarantine/${broken}`);
    assert.equal(shown.body['text'], '{ no JSON');
    for (const person of ['tom', 'tim', 'tia'])
      assert.equal((await second.call('GET', `/principals/user:${person}`)).body['state'], 'active', person);
  });
});
