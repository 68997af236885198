import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { beginning, isProblem } from '@postern/schemas';
import { draft } from '../conformance/drafts.ts';
import { factsAfter } from '../conformance/reading.ts';
import { openEmbedded } from './open.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'postern-log-'));

test('a second opener of a folder is told which folder is in use and what to do', async () => {
  const dir = folder();
  await using _owner = openEmbedded(`file:${dir}`);
  assert.throws(
    () => openEmbedded(`file:${dir}`),
    (error) => isProblem(error, 'event-log/in-use') && error.message.includes(dir),
  );
});

test('a full disk refuses the write with its own code, keeps what was written, and the log goes on once there is room', async () => {
  await using log = openEmbedded(`file:${folder()}`, { pagesMax: 64 });
  const record = { key: 'a', bytes: new Uint8Array(50_000) };
  let written = 0;
  await assert.rejects(
    async () => {
      for (; written < 64; written++) await log.decisions.publish([record]);
    },
    (error) => isProblem(error, 'event-log/disk-full'),
  );
  assert.deepEqual(await log.decisions.end(), { 0: written + 1 });
  await log.decisions.publish([{ key: 'a', bytes: new Uint8Array(1) }]);
  assert.deepEqual(await log.decisions.end(), { 0: written + 2 });
});

test('a file that is no log is called corrupt and left as it is', () => {
  const dir = folder();
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'event-log.sqlite'), 'x'.repeat(8192));
  assert.throws(
    () => openEmbedded(`file:${dir}`),
    (error) => isProblem(error, 'event-log/corrupt') && error.message.includes(dir),
  );
});

test('the trace an append was made in is handed to whoever reads the fact', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await using log = openEmbedded('memory:', { carrier: () => ({ traceparent }) });
  await log.facts.append(beginning, [draft('traced')]);
  const { carriers } = await factsAfter(log);
  assert.deepEqual(carriers, new Map([[1, { traceparent }]]));
});
