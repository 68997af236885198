import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { openProfileStore, openSealedStore } from '@postern/profiles/open';
import { silentLogger, systemClock } from '@postern/runtime';
import { beginning, isProblem, Organisation, Problem } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { type AdministratorKey, grantsService } from './app.ts';
import { keyDigest } from './routes/keys.ts';

/** A key's file that outlives the service. */
const drawer = (): AdministratorKey & { kept: string | undefined; issuedTimes: number } => {
  const here = {
    kept: undefined as string | undefined,
    issuedTimes: 0,
    keep: async (make: () => string) => {
      here.kept ??= make();
      return here.kept;
    },
    discard: async () => {
      here.kept = undefined;
    },
    issued: () => {
      here.issuedTimes++;
    },
  };
  return here;
};
const profiles = await openProfileStore('memory:');
const sealed = await openSealedStore('memory:');
const room = (eventLog: EventLog, administratorKey: AdministratorKey) =>
  grantsService(
    {
      eventLog,
      openFeed: () => Promise.reject(new Error('there are no feeds here')),
      profiles,
      sealed,
      keys: { current: () => [] },
      clock: systemClock,
      telemetry: noTelemetry,
      log: silentLogger,
      checkSchema: async () => {},
    },
    {
      model: { schema: 'definition user {}\n', services: [], roles: new Map() },
      enforceTimeoutMs: 100,
      scim: { principal: 'externalId', group: 'externalId' },
      administratorKey,
    },
  );
/** The log as a process sees it that is gone after `appends` of them. */
const dying = (log: EventLog, appends: number): EventLog => {
  let left = appends;
  return {
    ...log,
    facts: {
      head: log.facts.head,
      follow: log.facts.follow,
      append: async (expected, drafts) => {
        if (left-- <= 0) throw new Problem('event-log/unreachable');
        return log.facts.append(expected, drafts);
      },
    },
    [Symbol.asyncDispose]: async () => {},
  };
};
const organisationOf = async (log: EventLog): Promise<Organisation> => {
  const organisation = new Organisation();
  const over = new AbortController();
  for await (const { entries, atHead } of log.facts.follow(beginning, { signal: over.signal })) {
    for (const entry of entries) if (entry.fact) organisation.apply({ ...entry, fact: entry.fact });
    if (atHead) over.abort();
  }
  return organisation;
};

test('wherever a first start ends, the next one goes on, and there is one administrator with one key that is kept', async () => {
  for (let appends = 0, finished = false; !finished; appends++) {
    await using log = await openEventLog('memory:');
    const key = drawer();
    const first = room(dying(log, appends), key);
    finished = await first.start().then(
      () => true,
      () => false,
    );
    await first.stop();
    const second = room(log, key);
    await second.start();
    await second.stop();
    const { principals, grants, credentials } = await organisationOf(log);
    assert.deepEqual([...principals.keys()], ['user:admin']);
    assert.deepEqual(
      [...grants.values()].map(({ role }) => role),
      ['postern-admin', 'postern-admin'],
    );
    assert.deepEqual(
      [...credentials.values()].map(({ digest }) => digest),
      [keyDigest(key.kept ?? '')],
    );
    assert.equal(key.issuedTimes, 1, `shown once, where the first start ended behind ${appends} appends`);
    if (finished) assert.ok(appends >= 4, 'the first start was ended everywhere');
  }
});

test('of two first starts at the same time one issues its key, and the other keeps none', async () => {
  await using log = await openEventLog('memory:');
  const keys = [drawer(), drawer()];
  const rooms = keys.map((key) => room(log, key));
  await Promise.all(rooms.map((each) => each.start()));
  await Promise.all(rooms.map((each) => each.stop()));
  const { credentials } = await organisationOf(log);
  const kept = keys.flatMap(({ kept }) => kept ?? []);
  assert.deepEqual(
    [...credentials.values()].map(({ digest }) => digest),
    kept.map(keyDigest),
  );
  assert.equal(
    keys.reduce((sum, { issuedTimes }) => sum + issuedTimes, 0),
    1,
  );
});

test('a key file that holds something else is not overwritten, and nothing is issued', async () => {
  await using log = await openEventLog('memory:');
  const key = drawer();
  key.kept = 'a note to myself';
  const service = room(log, key);
  await assert.rejects(service.start(), (error) => isProblem(error, 'runtime/bad-config'));
  await service.stop();
  assert.equal(key.kept, 'a note to myself');
  const { credentials, principals } = await organisationOf(log);
  assert.deepEqual([credentials.size, principals.size], [0, 0]);
});
