import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { openProfileStore, openSealedStore } from '@postern/profiles/open';
import { silentLogger } from '@postern/runtime';
import {
  beginning,
  commitmentOf,
  type FactDraft,
  type LoggedFact,
  Organisation,
  type PrincipalId,
  type Sequence,
  systemActor,
} from '@postern/schemas';
import { erasing } from './erasing.ts';
import { sealing } from './sealing.ts';

const id = (number: number): string => `01930000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const draft = (number: number, type: string, subject: string, data: object): FactDraft =>
  ({
    id: id(number),
    source: '/postern/grants',
    type,
    subject,
    time: '2030-01-01T00:00:00.000Z',
    recordedtime: '2030-01-01T00:00:00.000Z',
    correlationid: id(number),
    ...systemActor('test'),
    data,
  }) as FactDraft;
const granted = (number: number, subject: string, reason: string): FactDraft =>
  draft(number, 'postern.grant.issued.v1', subject, {
    grant: id(number),
    subject,
    role: 'payroll-read',
    origin: 'direct',
    reason,
    ticket: 'HR-1',
  });

const open = async () => {
  const log = await openEventLog('memory:');
  const store = await openSealedStore('memory:');
  const organisation = new Organisation();
  return {
    log,
    store,
    organisation,
    facts: sealing({ facts: log.facts, store, organisation: () => organisation }),
    entries: async (): Promise<readonly LoggedFact[]> => {
      for await (const { entries } of log.facts.follow(beginning, { signal: AbortSignal.timeout(5_000) }))
        return entries;
      return [];
    },
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await log[Symbol.asyncDispose]();
    },
  };
};

test('what somebody wrote is in no byte of the log, and text and salt open the commitment that is', async () => {
  await using here = await open();
  await here.facts.append(beginning, [
    granted(1, 'user:ann', 'Ann covers for Bob'),
    granted(2, 'user:bob', 'Ann covers for Bob'),
  ]);
  const entries = await here.entries();
  for (const { bytes } of entries) assert.equal(/covers|HR-1/.test(Buffer.from(bytes).toString()), false);
  const kept = [...(await here.store.of({ subject: 'user:ann' })), ...(await here.store.of({ subject: 'user:bob' }))];
  assert.equal(kept.length, 4);
  assert.equal(
    new Set(kept.map(({ commitment }) => commitment)).size,
    4,
    'the same text is another commitment each time',
  );
  for (const { commitment, salt, text, sequence, member } of kept) {
    assert.equal(await commitmentOf(salt, text), commitment);
    const { fact } = entries[sequence - 1] ?? {};
    assert.equal((fact?.data as Record<string, unknown> | undefined)?.[member.split('/')[1] ?? ''], commitment);
  }
});

test('an append that is lost leaves no text behind, and what the winner wrote stays', async () => {
  await using here = await open();
  assert.equal((await here.facts.append(beginning, [granted(1, 'user:ann', 'first')])).outcome, 'appended');
  assert.equal((await here.facts.append(beginning, [granted(2, 'user:ann', 'second')])).outcome, 'lost');
  assert.deepEqual((await here.store.of({ subject: 'user:ann' })).map(({ text }) => text).sort(), ['HR-1', 'first']);
});

test('text that looks like a commitment is sealed like any other, so nobody can point at what was written of somebody else', async () => {
  await using here = await open();
  await here.facts.append(beginning, [granted(1, 'user:ann', 'a secret about Ann')]);
  const [secret] = await here.store.of({ subject: 'user:ann' });
  await here.facts.append(1 as Sequence, [granted(2, 'user:bob', secret?.commitment ?? '')]);
  const [, second] = await here.entries();
  assert.notEqual((second?.fact?.data as { reason?: string } | undefined)?.reason, secret?.commitment);
});

test('what the log says was erased is erased again at every start, from a store that came back from a backup too', async () => {
  await using here = await open();
  await using profiles = await openProfileStore('memory:');
  await here.facts.append(beginning, [granted(1, 'user:ann', 'before'), granted(2, 'user:bob', 'of another')]);
  const erased = { subject: 'user:ann', texts: {}, profile: true, reason: 'asked for' };
  await here.facts.append(2 as Sequence, [draft(3, 'postern.subject.erased.v1', 'user:ann', erased)]);
  await here.facts.append(3 as Sequence, [granted(4, 'user:ann', 'after')]);
  const profile = {
    kind: 'User',
    id: 'ann',
    document: '{}',
    version: 1,
    createdAtMs: 1,
    modifiedAtMs: 1,
    writtenAt: 1,
  } as const;
  await profiles.write([{ change: 'insert', profile }]);
  for (const entry of await here.entries()) here.organisation.apply(entry as never);
  const forgetting = erasing({ profiles, sealed: here.store, log: silentLogger });
  await forgetting.eraseAll(here.organisation);
  assert.deepEqual((await here.store.of({ subject: 'user:ann' })).map(({ text }) => text).sort(), ['HR-1', 'after']);
  assert.equal((await here.store.of({ subject: 'user:bob' })).length, 2);
  assert.equal(await profiles.count('User'), 0);

  // A profile that was written behind the erasure is of somebody who came back.
  await profiles.write([{ change: 'insert', profile: { ...profile, writtenAt: 4 } }]);
  await forgetting.erase('user:ann' as PrincipalId, 3 as Sequence);
  assert.equal(await profiles.count('User'), 1);
});
