import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import type { ProfileStore } from '@postern/profiles';
import { openProfileStore } from '@postern/profiles/open';
import { systemClock } from '@postern/runtime';
import { type NoticeSubscription, NoticeSubscription as Subscription } from '@postern/schemas';
import { Webhook } from 'standardwebhooks';
import { openRoom, type RoomOptions } from '../feeds/testing/open-room.ts';
import { receiver } from './testing/receiver.ts';

const secret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
const quick = { pace: { firstMs: 20, mostMs: 200 }, lease: { lastsMs: 1_500, renewMs: 100 } };
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-notices-'));
});
after(() => rm(folder, { recursive: true }));

let files = 0;
const secretIn = async (...secrets: readonly string[]): Promise<string> => {
  const file = join(folder, `secret-${++files}`);
  await writeFile(file, `${secrets.join('\n')}\n`);
  return file;
};
const subscribed = async (url: string, more: object = {}): Promise<NoticeSubscription> =>
  Subscription.parse({
    name: 'desk',
    url,
    secretFile: await secretIn(secret()),
    types: ['postern.principal.*', 'postern.grant.*'],
    allowAddresses: ['127.0.0.0/8'],
    ...more,
  });
type Stage = { readonly log: EventLog; readonly profiles: ProfileStore } & AsyncDisposable;
const stage = async (): Promise<Stage> => {
  const log = await openEventLog('memory:');
  const profiles = await openProfileStore('memory:');
  return {
    log,
    profiles,
    [Symbol.asyncDispose]: async () => {
      await profiles[Symbol.asyncDispose]();
      await log[Symbol.asyncDispose]();
    },
  };
};
const open = ({ log, profiles }: Stage, notices: readonly NoticeSubscription[], more: RoomOptions = {}) =>
  openRoom(log, { profiles, noticePace: quick, notices, ...more });
const hire = (id: string) => ({ id: `hire-${id}`, type: 'postern.person.joined.v1', subject: `user:${id}`, data: {} });
const itemOf = async (at: Awaited<ReturnType<typeof openRoom>>) =>
  ((await at.call('GET', '/notices')).body['items'] as Record<string, unknown>[])[0] ?? {};
const eventually = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 500) assert.fail(what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe('a notice', () => {
  test('is signed so that the Standard Webhooks library and the specification’s own formula take it, and no altered one', async () => {
    await using on = await stage();
    await using to = await receiver();
    const [old, next] = [secret(), secret()];
    const file = await secretIn(old);
    await using at = await open(on, [await subscribed(to.url, { secretFile: file })]);
    await at.send(hire('a'));
    const [first] = await to.came(1);
    assert.ok(first);
    const headers = first.headers as Record<string, string>;
    assert.equal((new Webhook(old).verify(first.body, headers) as { id: string }).id, first.event.id);
    assert.throws(() => new Webhook(old).verify(first.body.replace('user:a', 'user:b'), headers));
    assert.throws(() => new Webhook(next).verify(first.body, headers));
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${first.body}`;
    const key = Buffer.from(old.slice('whsec_'.length), 'base64');
    assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    assert.equal(headers['webhook-id'], first.event.id);
    assert.match(String(headers['content-type']), /^application\/cloudevents\+json/);

    await writeFile(file, `${next}\n${old}\n`);
    await at.send(hire('b'));
    const [, second] = await to.came(2);
    assert.ok(second);
    for (const each of [old, next]) new Webhook(each).verify(second.body, second.headers as Record<string, string>);
  });

  test('says ids and nothing that people wrote or that is said of them', async () => {
    await using on = await stage();
    await using to = await receiver();
    await using at = await open(on, [await subscribed(to.url)]);
    await at.send({ ...hire('a'), data: { department: 'finance', title: 'Controller', reason: 'hired by Grace' } });
    const [joined, issued] = await to.came(2);
    assert.deepEqual(joined?.event['data'], { principal: 'user:a' });
    assert.equal(issued?.event.type, 'postern.grant.issued.v1');
    for (const { body } of to.received) assert.doesNotMatch(body, /finance|Controller|Grace|reason/);
  });

  test('goes to whoever asked for its type and role, and to nobody else', async () => {
    await using on = await stage();
    await using to = await receiver();
    const only = { types: ['postern.grant.*', 'postern.principal.left.v1'], roles: ['payroll-reader'] };
    await using at = await open(on, [await subscribed(to.url, only)]);
    await at.send([{ ...hire('a'), data: { department: 'finance' } }, hire('b')]);
    await at.call('POST', '/grants', { subject: 'user:b', role: 'payroll-reader', reason: 'r' });
    await to.came(2);
    assert.deepEqual(
      to.received.map(({ event }) => [event.type, event['subject']]),
      [
        ['postern.grant.issued.v1', 'user:a'],
        ['postern.grant.issued.v1', 'user:b'],
      ],
    );
  });
});

describe('a receiver that', () => {
  test('fails is asked again under the same webhook-id, and what comes after waits its turn', async () => {
    await using on = await stage();
    await using to = await receiver((n) => (n <= 3 ? ([500, 302, 429][n - 1] ?? 204) : 204));
    await using at = await open(on, [await subscribed(to.url)]);
    await at.send([hire('a'), hire('b')]);
    await to.came(5);
    const ids = to.received.map(({ headers }) => headers['webhook-id']);
    assert.equal(new Set(ids.slice(0, 4)).size, 1);
    assert.notEqual(ids[4], ids[3]);
    await eventually('both are counted', async () => (await itemOf(at))['delivered'] === 2);
    assert.partialDeepStrictEqual(await itemOf(at), { state: 'delivering', givenUp: 0, url: to.url.split('?')[0] });
  });

  test('asks for time gets it', async () => {
    await using on = await stage();
    await using to = await receiver((n) =>
      n === 1 ? (response) => response.writeHead(429, { 'retry-after': '1' }).end() : 204,
    );
    await using at = await open(on, [await subscribed(to.url)]);
    await at.send(hire('a'));
    await eventually('it is shown', async () => (await itemOf(at))['state'] === 'failing');
    assert.partialDeepStrictEqual((await itemOf(at))['failing'], { attempts: 1, status: 429 });
    const [first, second] = await to.came(2);
    assert.ok(first && second && second.atMs - first.atMs >= 990, 'not before a second is over');
  });

  test('hangs holds back neither the other receivers nor the room', async () => {
    await using on = await stage();
    await using dead = await receiver(() => 'hang');
    await using to = await receiver();
    await using at = await open(on, [
      await subscribed(dead.url, { name: 'dead', timeoutMs: 60_000 }),
      await subscribed(to.url),
    ]);
    for (const name of ['a', 'b', 'c']) assert.equal((await at.send(hire(name))).status, 202);
    await to.came(3);
    assert.equal(dead.received.length, 1);
  });

  test('does not answer in time is asked again', async () => {
    await using on = await stage();
    await using to = await receiver((n) => (n === 1 ? 'hang' : 204));
    await using at = await open(on, [await subscribed(to.url, { timeoutMs: 100 })]);
    await at.send(hire('a'));
    await to.came(2);
  });

  test('answers 410 is left alone, through a restart too, until somebody says go on', async () => {
    await using on = await stage();
    await using to = await receiver((n) => (n === 1 ? 410 : 204));
    const desk = await subscribed(to.url);
    {
      await using at = await open(on, [desk]);
      await at.send([hire('a'), hire('b')]);
      await eventually('it is disabled', async () => (await itemOf(at))['state'] === 'disabled');
    }
    await using at = await open(on, [desk]);
    await at.send(hire('c'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(to.received.length, 1);
    assert.equal((await at.call('POST', '/notices/desk/resume')).status, 200);
    await to.came(4);
    assert.deepEqual(
      to.received.map(({ event }) => event['subject']),
      ['user:a', 'user:a', 'user:b', 'user:c'],
    );
  });

  test('never takes one is given up on after the days that were said, and what follows has its turn', async () => {
    await using on = await stage();
    let ahead = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + ahead };
    await using to = await receiver((_, { event }) => {
      if (event['subject'] !== 'user:a') return 204;
      ahead += 3_600_000;
      return 500;
    });
    await using at = await open(on, [await subscribed(to.url, { retryDays: 0.1 })], { clock });
    await at.send([hire('a'), hire('b')]);
    await eventually('the other one came', async () => (await itemOf(at))['delivered'] === 1);
    const failures = to.received.filter(({ event }) => event['subject'] === 'user:a').length;
    assert.ok(failures >= 2 && failures <= 4, `${failures}`);
    const { givenUp, lastGivenUp } = await itemOf(at);
    assert.equal(givenUp, 1);
    assert.partialDeepStrictEqual(lastGivenUp, { why: 'it answered 500' });
  });
});

test('everything from a sequence on is sent again, in order and under the same ids', async () => {
  await using on = await stage();
  await using to = await receiver();
  await using at = await open(on, [await subscribed(to.url)]);
  await at.send([hire('a'), hire('b'), hire('c')]);
  await to.came(3);
  const from = Number(to.received[1]?.event['sequence']);
  assert.equal((await at.call('POST', '/notices/desk/replay', { from })).status, 200);
  await to.came(5);
  const ids = to.received.map(({ event }) => event.id);
  assert.deepEqual(ids.slice(3), ids.slice(1, 3));
  await at.send(hire('d'));
  await to.came(6);
  assert.equal((await at.call('POST', '/notices/nobody/replay', { from })).status, 404);
});

test('what happened while nothing ran is told at the next start, and what was told is not told again', async () => {
  await using on = await stage();
  await using to = await receiver();
  const desk = await subscribed(to.url);
  {
    await using at = await open(on, [desk]);
    await at.send(hire('a'));
    await to.came(1);
  }
  {
    await using at = await open(on, []);
    await at.send(hire('b'));
  }
  await using at = await open(on, [desk]);
  await at.send(hire('c'));
  await to.came(3);
  assert.deepEqual(
    to.received.map(({ event }) => event['subject']),
    ['user:a', 'user:b', 'user:c'],
  );
});

test('of two instances one delivers, and the other goes on where it stopped', async () => {
  await using on = await stage();
  await using to = await receiver();
  const desk = await subscribed(to.url);
  await using one = await open(on, [desk]);
  await using other = await open(on, [desk]);
  for (let n = 0; n < 10; n++) await (n % 2 === 0 ? one : other).send(hire(`p${n}`));
  await to.came(10);
  await one.room.stop();
  await other.send(hire('last'));
  await to.came(11);
  assert.equal(new Set(to.received.map(({ headers }) => headers['webhook-id'])).size, 11);
  assert.equal(to.received.length, 11);
});

test('a subscription is taken in, changed and let go while the room runs', async () => {
  await using on = await stage();
  await using to = await receiver();
  await using elsewhere = await receiver();
  await using at = await open(on, []);
  const rest = { model: at.model, feedRules: [], feeds: [], transmitters: [] };
  const desk = await subscribed(to.url);
  await at.room.reconfigure({ ...rest, notices: [desk] });
  await eventually('it has begun', async () => (await itemOf(at))['holder'] !== undefined);
  await at.send(hire('a'));
  await to.came(1);
  await at.room.reconfigure({ ...rest, notices: [{ ...desk, url: elsewhere.url }] });
  await at.send(hire('b'));
  await elsewhere.came(1);
  assert.equal(elsewhere.received[0]?.event['subject'], 'user:b');
  await at.room.reconfigure({ ...rest, notices: [] });
  assert.deepEqual((await at.call('GET', '/notices')).body['items'], []);
});

test('a private address is not gone to unless it is allowed: not by number, and not by a name that leads there', async () => {
  await using on = await stage();
  await using to = await receiver();
  const closed = { allowAddresses: ['192.0.2.1/32'] };
  await using at = await open(on, [
    await subscribed(`http://127.0.0.1:${to.port}/`, { ...closed, name: 'number' }),
    await subscribed(`http://localhost:${to.port}/`, { ...closed, name: 'name' }),
    await subscribed(`http://[::ffff:127.0.0.1]:${to.port}/`, { ...closed, name: 'mapped' }),
    await subscribed(`http://2130706433:${to.port}/`, { ...closed, name: 'decimal' }),
    await subscribed(`http://localhost:${to.port}/`, { name: 'open' }),
  ]);
  for (const name of ['number', 'name', 'mapped', 'decimal']) {
    const { body } = await at.call('POST', `/notices/${name}/test`);
    assert.equal(body['outcome'], 'failed', name);
    assert.match(String(body['why']), /private address/);
  }
  assert.equal(to.received.length, 0);
  assert.partialDeepStrictEqual((await at.call('POST', '/notices/open/test')).body, { outcome: 'delivered' });
  assert.equal(to.received[0]?.event.type, 'postern.notice.tested.v1');
});

test('a change that a proxy does not enforce in time is told once, and names the proxy', async () => {
  await using on = await stage();
  await using to = await receiver();
  await using at = await open(on, [await subscribed(to.url, { types: ['postern.enforcement.*'] })]);
  const behind = {
    instance: 'lagging',
    state: 'serving',
    enforces: 0,
    leaseMs: 60_000,
    at: new Date().toISOString(),
    jwk: {},
  };
  await on.log.enforcement.publish([{ key: 'lagging', bytes: Buffer.from(JSON.stringify(behind)) }]);
  await at.send([hire('a'), { id: 'leave-a', type: 'postern.person.left.v1', subject: 'user:a', data: {} }]);
  const [late] = await to.came(1);
  assert.ok(late);
  assert.equal(late.event.type, 'postern.enforcement.late.v1');
  assert.partialDeepStrictEqual(late.event['data'], { waitingFor: ['lagging'] });
  // It goes on waiting, and says no more of it.
  await new Promise((resolve) => setTimeout(resolve, 800));
  assert.equal((await at.facts()).filter(({ type }) => type === 'postern.enforcement.late.v1').length, 1);
});
