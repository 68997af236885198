import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { alterFile } from '@postern/audit-store/conformance';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import type { Sequence } from '@postern/schemas';
import { parseKeptCheckpoint, parseServedRow } from '@postern/schemas/record';
import { makeSigningKey, mapped, parseSigningKeys, type SigningKeys, verifyLog } from '../app.ts';
import { type AuditRoom, auditRoom, until } from '../testing/audit-room.ts';
import { decisionBatch, grantIssued } from '../testing/log-content.ts';
import { databaseActs, type Notice } from './acts.ts';

const verified = async (room: AuditRoom, log: 'facts' | 'decisions') =>
  verifyLog({
    get: room.log(log),
    vkey: await room.vkey(log),
    kept: mapped(room.lines(log, 'checkpoints'), parseKeptCheckpoint),
    rows: { log, served: mapped(room.lines(log, 'rows'), parseServedRow) },
  });

describe('in the database', () => {
  let home = '';
  let signingKeys: SigningKeys;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'postern-tampering-'));
    signingKeys = parseSigningKeys(makeSigningKey());
    await using eventLog = await openEventLog('memory:');
    await using store = await openAuditStore(`file:${home}/whole`);
    await using room = await auditRoom({ eventLog, store, signingKeys });
    for (const size of [100, 200, 300]) {
      const facts = Array.from({ length: 100 }, (_, at) => grantIssued(size - 100 + at));
      await eventLog.facts.append((size - 100) as Sequence, facts);
      await room.sealedAt({ facts: size, decisions: 0 });
    }
    const batches = [1, 2, 3, 4].map((batch) => ({ key: 'proxy-1', bytes: decisionBatch(batch, 3) }));
    await eventLog.decisions.publish(batches);
    await room.sealedAt({ facts: 300, decisions: 4 });
    for (const log of ['facts', 'decisions'] as const) assert.equal((await verified(room, log)).outcome, 'intact');
  });
  after(() => rm(home, { recursive: true }));

  databaseActs.forEach(({ what, statements, notices }, number) => {
    test(`${what}: ${notices.map(({ by, says }) => `${by} says ${says}`).join(', ')}`, {
      timeout: 60_000,
    }, async () => {
      const path = join(home, String(number));
      await cp(join(home, 'whole'), path, { recursive: true });
      alterFile(path, statements);
      await using store = await openAuditStore(`file:${path}`);
      await using eventLog = await openEventLog('memory:');
      // A room that only reads: what it serves is judged before a writer has looked at it.
      await using room = await auditRoom({ eventLog, store, signingKeys }, { sealEveryMs: 3_600_000 });
      for (const notice of notices) await noticed(room, notice);
      if (!notices.some(({ by }) => by === 'postern audit verify')) return;
      const outcomes = [(await verified(room, 'facts')).outcome, (await verified(room, 'decisions')).outcome];
      assert.ok(outcomes.includes('altered'));
    });
  });

  const noticed = async (room: AuditRoom, { by, says, index }: Notice): Promise<void> => {
    if (by === 'the writer') {
      await until(() => room.service.notReady().some((line) => line.includes(` is not sealed: ${says}`)));
      return;
    }
    assert.equal(by, 'postern audit verify');
    const found = [await verified(room, 'facts'), await verified(room, 'decisions')].filter(
      ({ outcome }) => outcome === 'altered',
    );
    const [first] = found;
    assert.ok(found.length > 0 && first?.outcome === 'altered', 'it is noticed');
    assert.deepEqual([first.what, first.index], [says, index], first.why);
  };
});
