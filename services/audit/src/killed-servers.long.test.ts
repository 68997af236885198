import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditStore } from '@postern/audit-store';
import { openAuditStore } from '@postern/audit-store/open';
import { type StartedContainer, startKafka, startPostgres } from '@postern/containers';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import type { Sequence } from '@postern/schemas';
import { makeSigningKey, parseSigningKeys, verifyLog } from './app.ts';
import { auditRoom } from './testing/audit-room.ts';
import { decisionBatch, grantIssued } from './testing/log-content.ts';

/** The sizes that are promised are 100,000 and 1,000,000. */
const factCount = Number(process.env['POSTERN_LOSS_FACTS'] ?? 4_000);
const decisionCount = Number(process.env['POSTERN_LOSS_DECISIONS'] ?? 20_000);
/** How often each of broker, database and ingest is killed. */
const killsOfEach = Number(process.env['POSTERN_LOSS_KILLS'] ?? 2);
const seed = Number(process.env['POSTERN_LOSS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const perAppend = 100;
const decisionsPerBatch = 100;
const batchCount = decisionCount / decisionsPerBatch;
const pem = makeSigningKey();

/** Park and Miller's: the same seed, the same choices. */
const chance = (from: number) => {
  let state = from % 2_147_483_646;
  return () => {
    state = (Math.max(1, state) * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

/** Writers that do not give up; `spread` keeps them writing for as long as things are killed. */
type Pace = { readonly wait: () => Promise<void> };
const failed = { facts: 0, decisions: 0 };

const writeFacts = async (log: EventLog, { wait }: Pace): Promise<void> => {
  for (let from = 0; from < factCount; await wait()) {
    try {
      const drafts = Array.from({ length: Math.min(perAppend, factCount - from) }, (_, at) => grantIssued(from + at));
      from = Number((await log.facts.append(from as Sequence, drafts)).head);
    } catch {
      failed.facts++;
      // Whether it was written is what the log says once it answers.
      for (let known = false; !known; ) {
        await pause(100);
        known = await log.facts.head().then(
          (head) => {
            from = Number(head);
            return true;
          },
          () => false,
        );
      }
    }
  }
};

/** As a gate does: what is not known to have arrived is published again, under its number. */
const writeDecisions = async (log: EventLog, { wait }: Pace): Promise<void> => {
  for (let batch = 1; batch <= batchCount; await wait()) {
    try {
      await log.decisions.publish([{ key: 'k', bytes: decisionBatch(batch, decisionsPerBatch) }]);
      batch++;
    } catch {
      failed.decisions++;
      await pause(100);
    }
  }
};

const child = (eventLog: string, store: string) => `
  const { openAuditStore } = await import('@postern/audit-store/open');
  const { openEventLog } = await import('@postern/event-log/open');
  const { auditRoom } = await import('./testing/audit-room.ts');
  const { parseSigningKeys } = await import('./signing-key.ts');
  const eventLog = await openEventLog('${eventLog}');
  const store = await openAuditStore('${store}');
  await auditRoom({ eventLog, store, signingKeys: parseSigningKeys(${JSON.stringify(pem)}) });
  setInterval(() => {}, 1000);`;

/** A room that is started again whenever it has ended, as an orchestrator would. */
const supervised = (script: string) => {
  let ending = false;
  let current: ChildProcess | undefined;
  const keeping = (async () => {
    while (!ending) {
      const args = ['--disable-warning=ExperimentalWarning', '--no-deprecation', '--input-type=module', '-e', script];
      current = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: 'ignore' });
      await once(current, 'exit');
      await pause(100);
    }
  })();
  return {
    kill: () => void current?.kill('SIGKILL'),
    [Symbol.asyncDispose]: async () => {
      ending = true;
      current?.kill('SIGKILL');
      await keeping;
    },
  };
};

/** What the record holds once it holds everything, and nothing beyond. */
const taken = async (store: AuditStore) => {
  const states = async () => ({
    facts: await store.writer.state('facts'),
    decisions: await store.writer.state('decisions'),
  });
  for (let done = false; !done; await pause(100)) {
    const now = await states().catch(() => undefined);
    if (now === undefined) continue;
    assert.ok(now.facts.size <= factCount && now.decisions.size <= batchCount, 'nothing twice');
    done = now.facts.size === factCount && now.decisions.size === batchCount;
  }
  // Time for what would come behind the last.
  await pause(1_000);
  const { facts, decisions } = await states();
  const ids = new Set<string>();
  let rows = 0;
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await store.reader.find('decisions', { limit: 1_000, order: 'oldest', ...(cursor && { cursor }) });
    rows += page.rows.length;
    for (const { id } of page.rows) ids.add(id);
    cursor = page.next;
  }
  return { facts: [facts.size, facts.edge], decisions: [decisions.size, decisions.edge], rows, ids: ids.size };
};

const undisturbed = async () => {
  await using eventLog = await openEventLog('memory:');
  await using store = await openAuditStore('memory:');
  await using _room = await auditRoom({ eventLog, store, signingKeys: parseSigningKeys(pem) });
  const pace = { wait: async () => {} };
  await Promise.all([writeFacts(eventLog, pace), writeDecisions(eventLog, pace)]);
  return taken(store);
};

test(`${factCount} facts and ${decisionCount} decisions: broker, database and ingest are killed ${killsOfEach} times each while they flow, and the record has the root of one without faults (seed ${seed})`, {
  timeout: 3_600_000,
}, async (context) => {
  const expected = await undisturbed();
  assert.deepEqual([expected.rows, expected.ids], [decisionCount, decisionCount]);

  await using kafka = await startKafka({ environment: { KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false' } });
  await using postgres = await startPostgres();
  const eventLogUrl = `kafka://${kafka.brokers}/loss`;
  await using eventLog = await openEventLog(eventLogUrl);
  await using store = await openAuditStore(postgres.url);
  const random = chance(seed);
  const again = async (server: StartedContainer): Promise<void> => {
    await server.stop(0);
    await pause(random() * 1_000);
    await server.start();
  };
  const sizes = new Set<string>();
  let killing = true;
  {
    await using ingest = supervised(child(eventLogUrl, postgres.url));
    const acts = [() => again(kafka), () => again(postgres), async () => ingest.kill()];
    const killAll = async (): Promise<void> => {
      const order = Array.from({ length: killsOfEach }, () => acts).flat();
      for (let left = order.length; left > 0; left--) {
        await pause(200 + random() * 2_500);
        const [act] = order.splice(Math.floor(random() * left), 1);
        await act?.();
        const state = await store.writer.state('decisions').catch(() => undefined);
        if (state !== undefined) sizes.add(String(state.size));
      }
      killing = false;
    };
    // The last tenth is written when nothing is killed any more, so that something flows at every kill.
    let written = 0;
    const pace = {
      wait: async () => {
        written++;
        if (killing) await pause(written > ((factCount / perAppend + batchCount) * 9) / 10 ? 500 : 5);
      },
    };
    await Promise.all([killAll(), writeFacts(eventLog, pace), writeDecisions(eventLog, pace)]);
    assert.deepEqual(await taken(store), expected);
  }
  context.diagnostic(`appends without an answer: ${failed.facts}; batches published again: ${failed.decisions}`);
  context.diagnostic(`sizes at the kills: ${[...sizes].join(', ')}`);
  assert.ok(sizes.size > 2, `killed at different points: ${[...sizes]}`);
  await using room = await auditRoom({ eventLog, store, signingKeys: parseSigningKeys(pem) });
  await room.sealedAt({ facts: factCount, decisions: batchCount });
  for (const log of ['facts', 'decisions'] as const)
    assert.equal((await verifyLog({ get: room.log(log), vkey: await room.vkey(log) })).outcome, 'intact');
});
