import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import type { FactOf, LoggedFact, Sequence } from '@postern/schemas';
import { Problem } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { auditRoom, until } from '../testing/audit-room.ts';
import { grantIssued } from '../testing/log-content.ts';

const keeping = { instance: 'audit-1', lookEveryMs: 5 };

const factsOf = async (log: Awaited<ReturnType<typeof openEventLog>>): Promise<LoggedFact[]> => {
  const stop = new AbortController();
  const all: LoggedFact[] = [];
  for await (const { entries, atHead } of log.facts.follow(0 as Sequence, { signal: stop.signal })) {
    all.push(...entries);
    if (atHead) stop.abort();
  }
  return all;
};
const readsIn = (facts: readonly LoggedFact[]) =>
  facts.flatMap(({ fact }) =>
    fact?.type === 'postern.audit.read.v1' ? [fact as FactOf<'postern.audit.read.v1'>] : [],
  );

test('who read the record, what and how many rows is in the record, and readings that are alike are told of together', async () => {
  await using log = await openEventLog('memory:', { telemetry: noTelemetry });
  await using store = await openAuditStore('memory:', noTelemetry);
  await log.facts.append(0 as Sequence, [grantIssued(0), grantIssued(1)]);
  {
    await using room = await auditRoom({ eventLog: log, store }, { keeping });
    await until(async () => (await store.reader.checkpoint('facts'))?.size === 3);
    const get = (path: string) => room.gate.get(room.service, path);
    assert.equal(
      (await get('facts?type=postern.grant.issued.v1&subject=user:ann&since=2029-01-01T00:00:00Z')).status,
      200,
    );
    await until(async () => readsIn(await factsOf(log)).length === 1);
    for (let again = 0; again < 5; again++) {
      await get(`facts?type=postern.grant.issued.v1&subject=user:ann&since=2030-01-0${again + 1}T00:00:00Z`);
    }
    await get('facts?subject=user:ben');
    await get('log/facts/checkpoint');
    await get('facts?limit=nonsense');
    await until(async () => readsIn(await factsOf(log)).length === 2);
    const [first, other] = readsIn(await factsOf(log));
    assert.equal(first?.authid, 'user:auditor');
    assert.deepEqual(
      [first.data.what, first.data.query, first.data.readings, first.data.rows],
      ['facts', { type: 'postern.grant.issued.v1', subject: 'user:ann', since: '2029-01-01T00:00:00Z' }, 1, 1],
    );
    assert.deepEqual(other?.data.query, { subject: 'user:ben' });
  }
  const all = await factsOf(log);
  const types = all.map(({ envelope }) => envelope.type);
  assert.equal(types[2], 'postern.logging.started.v1');
  assert.equal(types.at(-1), 'postern.logging.stopped.v1');
  const last = readsIn(all).at(-1);
  assert.equal(readsIn(all).length, 3);
  assert.equal(
    last?.data.readings,
    5,
    'the five that were alike became one fact, at the end of the room at the latest',
  );
  const { size } = (await store.reader.checkpoint('facts')) ?? { size: 0 };
  assert.equal(size, all.length, 'the end of recording is signed as well');
});

test('while the log is away readings are answered up to a bound and then refused, and all of them are written when it is back', async () => {
  await using log = await openEventLog('memory:', { telemetry: noTelemetry });
  await using store = await openAuditStore('memory:', noTelemetry);
  await log.facts.append(0 as Sequence, [grantIssued(0)]);
  let away = false;
  const facts: typeof log.facts = {
    ...log.facts,
    head: () => log.facts.head(),
    follow: (after, options) => log.facts.follow(after, options),
    append: async (expected, drafts) => {
      if (away) throw new Problem('event-log/unreachable', { detail: 'away' });
      return log.facts.append(expected, drafts);
    },
  };
  const eventLog = { facts, decisions: log.decisions, quarantine: log.quarantine };
  await using room = await auditRoom({ eventLog, store }, { keeping: { ...keeping, waitingMax: 3 } });
  await until(async () => (await store.reader.checkpoint('facts'))?.size === 2);
  away = true;
  const read = async (subject: string) => (await room.gate.get(room.service, `facts?subject=${subject}`)).status;
  assert.deepEqual([await read('user:a'), await read('user:b'), await read('user:c')], [200, 200, 200]);
  assert.equal(await read('user:d'), 503);
  away = false;
  await until(async () => readsIn(await factsOf(log)).length === 3);
  assert.equal(await read('user:d'), 200);
  await until(async () => readsIn(await factsOf(log)).length === 4);
  assert.deepEqual(
    readsIn(await factsOf(log)).map(({ data }) => data.query['subject']),
    ['user:a', 'user:b', 'user:c', 'user:d'],
  );
});
