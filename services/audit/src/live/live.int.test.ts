import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditStore, cursorBehind } from '@postern/audit-store';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import { systemClock } from '@postern/runtime';
import { auditRoom } from '../testing/audit-room.ts';
import { decisionBatch } from '../testing/log-content.ts';
import { growth } from './growth.ts';
import { pulse } from './pulse.ts';
import { type LiveQuery, liveDecisions } from './stream.ts';

const world = async () => {
  const eventLog = await openEventLog('memory:');
  const store = await openAuditStore('memory:');
  const room = await auditRoom({ eventLog, store });
  let batches = 0;
  return {
    store,
    room,
    publish: async (decisions: number): Promise<void> => {
      batches++;
      await eventLog.decisions.publish([{ key: 'k', bytes: decisionBatch(batches, decisions) }]);
      await room.sealedAt({ facts: 0, decisions: batches }).catch(() => {});
    },
    [Symbol.asyncDispose]: async () => {
      await room[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await eventLog[Symbol.asyncDispose]();
    },
  };
};

/** Reads events until `until` decisions have come, then breaks off; answers their ids and the id of the last event. */
const follow = async (store: AuditStore, query: LiveQuery, lastId: string | undefined, until: number) => {
  const ending = new AbortController();
  const ids: string[] = [];
  let told = 0;
  let last = lastId;
  const deps = {
    reader: store.reader,
    growth: growth(store.reader),
    elapsed: systemClock.elapsed,
    told: (rows: number) => {
      told += rows;
    },
    signal: ending.signal,
  };
  for await (const event of liveDecisions(deps, query, lastId)) {
    last = /^id: (.*)$/m.exec(event)?.[1] ?? last;
    const [, data] = /^event: decisions\ndata: (.*)$/m.exec(event) ?? [];
    if (data !== undefined) for (const { id } of JSON.parse(data) as { id: string }[]) ids.push(id);
    if (ids.length >= until) break;
  }
  ending.abort();
  return { ids, last, told };
};

test('a follower hears of every decision once, across breaks, and of none from before it asked', async () => {
  await using here = await world();
  await here.publish(3);
  await here.store.reader.find('decisions', { limit: 1 });
  const first = follow(here.store, {}, undefined, 4);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await here.publish(4);
  const { ids, last, told } = await first;
  assert.deepEqual(ids, ['d-2-0', 'd-2-1', 'd-2-2', 'd-2-3']);
  assert.equal(told, 4);
  // 450 come while nobody listens: more than one page.
  await here.publish(250);
  await here.publish(200);
  const again = await follow(here.store, {}, last, 450);
  assert.equal(new Set(again.ids).size, 450);
  assert.equal(again.ids[0], 'd-3-0');
  assert.equal(again.ids.at(-1), 'd-4-199');
});

test('a follower from the empty record on misses nothing', async () => {
  await using here = await world();
  const { size } = await here.store.reader.find('decisions', { limit: 1 });
  assert.equal(size, 0);
  const first = follow(here.store, { outcome: 'deny' }, cursorBehind(0), 2);
  await here.publish(4);
  assert.deepEqual((await first).ids, ['d-1-0', 'd-1-3']);
});

test('minutes and causes add up to what the record holds, whether counted at once or on from before', async () => {
  await using here = await world();
  await here.publish(7);
  // The content of tests is of 2030.
  const now = Date.UTC(2030, 0, 1, 0, 1, 0);
  const counts = pulse(here.store.reader, () => now);
  const sum = async () => {
    const { minutes, causes, behind } = await counts.counted(3_600_000);
    assert.equal(behind, false);
    const [allow, deny] = [
      minutes.reduce((all, { allow }) => all + allow, 0),
      minutes.reduce((all, { deny }) => all + deny, 0),
    ];
    return {
      allow,
      deny,
      causes: causes.map(({ reason, endpoint, count, who }) => ({ reason, endpoint, count, who })),
    };
  };
  const cause = { reason: 'no-grant', endpoint: 'payroll/getEmployee', who: ['user:ann'] };
  assert.deepEqual(await sum(), { allow: 4, deny: 3, causes: [{ ...cause, count: 3 }] });
  assert.deepEqual(await sum(), { allow: 4, deny: 3, causes: [{ ...cause, count: 3 }] });
  for (let batch = 0; batch < 6; batch++) await here.publish(200);
  for (const _ of ['once', 'and again'])
    assert.deepEqual(await sum(), { allow: 802, deny: 405, causes: [{ ...cause, count: 405 }] });
  const fresh = await pulse(here.store.reader, () => now).counted(3_600_000);
  assert.equal(fresh.causes[0]?.count, 405);
});

test('what is followed and counted is asked by the gate alone, and a filter that is none is refused', async () => {
  await using here = await world();
  const refused = await here.room.service.http?.inject({ url: '/.postern/audit/decisions/live' });
  assert.equal(refused?.statusCode, 401);
  const bad = await here.room.gate.get(here.room.service, 'decisions/live?outcome=perhaps');
  assert.equal(bad.status, 400);
  const { logs } = JSON.parse((await here.room.gate.get(here.room.service, 'pulse')).text);
  assert.deepEqual([logs.decisions.size, logs.decisions.sealed], [0, 0]);
});
