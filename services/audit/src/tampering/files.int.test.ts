import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import type { Sequence } from '@postern/schemas';
import { copyLog, filesIn, verifyFolder, verifyRecord } from '../app.ts';
import { auditRoom } from '../testing/audit-room.ts';
import { decisionBatch, grantIssued } from '../testing/log-content.ts';

for (const log of ['facts', 'decisions'] as const)
  describe(`in the files of a copy of ${log}`, () => {
    let folder = '';
    let files: string[] = [];
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'postern-tampered-'));
      await using eventLog = await openEventLog('memory:');
      await using store = await openAuditStore('memory:');
      await using room = await auditRoom({ eventLog, store });
      for (const size of [2, 3]) {
        const from = size === 2 ? 0 : 2;
        const facts = Array.from({ length: size - from }, (_, at) => grantIssued(from + at));
        await eventLog.facts.append(from as Sequence, facts);
        await eventLog.decisions.publish([{ key: 'k', bytes: decisionBatch(size, 2) }]);
        await room.sealedAt({ facts: size, decisions: size - 1 });
      }
      const [kept, rows] = [room.lines(log, 'checkpoints'), room.lines(log, 'rows')];
      await copyLog(folder, { get: room.log(log), kept, rows });
      for (const path of ['proof/1', 'entry/1']) {
        await mkdir(join(folder, path, '..'), { recursive: true });
        await writeFile(join(folder, path), (await room.log(log)(path)) ?? '');
      }
      files = (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((each) => each.isFile())
        .map((each) => join(each.parentPath, each.name));
    });
    after(() => rm(folder, { recursive: true }));

    /** By the copy alone: its keys are those that came with it. */
    const intact = async (): Promise<boolean> => {
      const vkey = await readFile(join(folder, 'vkey'), 'utf8').catch(() => '');
      const whole = await verifyFolder(folder, log, { vkey });
      if (whole.outcome !== 'intact') return false;
      return (await verifyRecord({ get: filesIn(folder), vkey }, 1)).outcome === 'intact';
    };
    const refusedWith = async (file: string, bytes: Uint8Array, what: string): Promise<void> => {
      const before = await readFile(file);
      await writeFile(file, bytes);
      assert.equal(await intact(), false, `${file.slice(folder.length + 1)}: ${what}`);
      await writeFile(file, before);
    };

    test('any one byte that is changed is noticed', { timeout: 300_000 }, async () => {
      assert.ok(await intact());
      assert.equal(files.length, 8);
      for (const file of files) {
        const bytes = await readFile(file);
        for (let at = 0; at < bytes.length; at++)
          await refusedWith(file, bytes.with(at, (bytes[at] ?? 0) ^ (1 << (at % 8))), `byte ${at}`);
      }
      assert.ok(await intact());
    });

    test('any file that is removed, cut off by a byte, or has one more is noticed', { timeout: 60_000 }, async () => {
      for (const file of files) {
        const bytes = await readFile(file);
        await rename(file, `${file}.aside`);
        assert.equal(await intact(), false, `${file} is not there`);
        await rename(`${file}.aside`, file);
        // A line end that is missing at the very end of lines, or blank space behind a key, changes nothing that is said.
        if (/(ndjson|vkey)$/.test(file)) {
          await refusedWith(file, bytes.subarray(0, -2), 'cut off');
          await refusedWith(file, Buffer.concat([bytes, Buffer.from('x\n')]), 'longer');
        } else {
          await refusedWith(file, bytes.subarray(0, -1), 'cut off');
          await refusedWith(file, Buffer.concat([bytes, Buffer.from('x')]), 'longer');
        }
      }
    });

    test('lines and hashes that change places are noticed', { timeout: 60_000 }, async () => {
      for (const file of files.filter((each) => each.endsWith('.ndjson'))) {
        const [one, two, ...more] = (await readFile(file, 'utf8')).split('\n');
        await refusedWith(file, Buffer.from([two, one, ...more].join('\n')), 'two lines changed places');
        await refusedWith(file, Buffer.from([one, one, two, ...more].join('\n')), 'a line stands twice');
      }
      const leaves = files.find((each) => each.includes('/tile/0/'));
      assert.ok(leaves);
      const bytes = await readFile(leaves);
      const swapped = Buffer.concat([bytes.subarray(32, 64), bytes.subarray(0, 32), bytes.subarray(64)]);
      await refusedWith(leaves, swapped, 'two leaves changed places');
    });
  });
