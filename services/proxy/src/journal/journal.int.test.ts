import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openEventLog } from '@postern/event-log/open';
import { silentLogger } from '@postern/runtime';
import { DecisionBatch } from '@postern/schemas';
import { recorder } from '../record.ts';
import { type Journal, openJournal } from './journal.ts';
import { leftIn, runsIn } from './left-behind.ts';

const trialFolder = () => {
  const path = mkdtempSync(join(tmpdir(), 'postern-journal-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
};
const child = (args: readonly string[], fileBlocksMax?: number) => {
  const program = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, '../trial/recording-process.ts'),
  ];
  const limit = fileBlocksMax === undefined ? '' : `ulimit -f ${fileBlocksMax}; `;
  const started = spawn('bash', ['-c', `${limit}exec "$@"`, 'bash', ...program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  started.stdout.on('data', (bytes) => {
    said += bytes;
  });
  // The last line may have been cut off as it was written.
  const lines = () => said.split('\n').slice(0, -1);
  return { started, lines, ended: once(started, 'close') };
};
/** What the log holds, each (instance, batch) once, as the record's reader takes it. */
const recorded = async (folder: string): Promise<string[]> => {
  await using log = await openEventLog(`file:${folder}`);
  const batches = new Map<string, string>();
  const over = new AbortController();
  for await (const { records, atEnd } of log.decisions.follow({}, { signal: over.signal, beatMs: 20 })) {
    for (const { bytes } of records) {
      const text = Buffer.from(bytes).toString();
      const { instance, batch } = DecisionBatch.parse(JSON.parse(text));
      const before = batches.get(`${instance}/${batch}`);
      assert.ok(before === undefined || before === text, 'a repetition is the same to the byte');
      batches.set(`${instance}/${batch}`, text);
    }
    if (atEnd) over.abort();
  }
  return [...batches.values()].flatMap((text) => DecisionBatch.parse(JSON.parse(text)).decisions.map(({ id }) => id));
};
const written = (journal: Journal, instance: string, batches: readonly (readonly string[])[]) => {
  journal.begin(instance);
  batches.forEach((lines, at) => {
    for (const line of lines) assert.equal(journal.line(line), undefined);
    if (at < batches.length - 1) journal.close(at + 1);
  });
};

test('a gate that is killed at any point, while the log goes and comes, loses no decision that it let pass and records none twice', {
  timeout: 60_000,
}, async () => {
  using folder = trialFolder();
  const log = join(folder.path, 'log');
  const journal = join(folder.path, 'journal');
  const taken: string[] = [];
  for (let round = 0; round < 6; round++) {
    const { started, lines, ended } = child([log, journal, `run${round}`, '1000000']);
    while (lines().length === 0) await pause(5);
    await pause(20 + Math.random() * 250);
    started.kill('SIGKILL');
    await ended;
    taken.push(...lines().map((line) => line.slice('taken '.length)));
  }
  const calm = child([log, journal, 'calm', '3', 'up']);
  await calm.ended;
  taken.push(...calm.lines().map((line) => line.slice('taken '.length)));
  const found = await recorded(log);
  assert.ok(taken.length > 1_000, `${taken.length} decisions passed`);
  assert.equal(new Set(found).size, found.length, 'none twice');
  const held = new Set(found);
  assert.deepEqual(
    taken.filter((id) => !held.has(id)),
    [],
  );
  assert.deepEqual(
    readdirSync(join(journal, '1')).filter((name) => name.endsWith('.journal')),
    [],
    'nothing is left',
  );
});

test('a torn tail is cut: what lies whole before it is recorded, in order and with its numbers', () => {
  using folder = trialFolder();
  written(openJournal(folder.path), 'torn', [['1', '2'], ['3'], ['4', '5']]);
  const [files = []] = runsIn(join(folder.path, '1'));
  const [file = ''] = files;
  const whole = readFileSync(file);
  const left = () =>
    [...leftIn(files)].map(({ number, bytes }) => [number, ...JSON.parse(Buffer.from(bytes).toString()).decisions]);
  assert.deepEqual(left(), [
    [1, 1, 2],
    [2, 3],
    [3, 4, 5],
  ]);
  for (let length = whole.length - 1; length > 0; length--) {
    truncateSync(file, length);
    assert.deepEqual(
      left().flatMap(([, ...lines]) => lines),
      [1, 2, 3, 4, 5].slice(0, left().flat().length - left().length),
    );
  }
  // A byte that the disk did not keep ends it there.
  whole[whole.length - 1] = 0x7f;
  writeFileSync(file, whole);
  appendFileSync(file, 'rubbish');
  assert.deepEqual(left(), [
    [1, 1, 2],
    [2, 3],
    [3, 4],
  ]);
});

test('a full disk is a refusal that says so, and what was let pass before is all there', async () => {
  using folder = trialFolder();
  const log = join(folder.path, 'log');
  const journal = join(folder.path, 'journal');
  // Of 1,024 bytes each: less than a file of the journal may become.
  const { lines, ended } = child([log, journal, 'full', '100', 'away'], 8);
  await ended;
  const taken = lines()
    .filter((line) => line.startsWith('taken '))
    .map((line) => line.slice('taken '.length));
  const refused = lines().filter((line) => line.startsWith('refused '));
  assert.ok(taken.length > 5 && refused.length > 5, lines().join('\n'));
  assert.equal(refused.at(-1), "refused the disk of the gate's journal is full");
  const later = child([log, journal, 'later', '1', 'up']);
  await later.ended;
  assert.deepEqual(new Set(await recorded(log)), new Set([...taken, 'later-1']));
});

test('each gate has a journal of its own, and whoever starts takes up what one that lives no more has left', () => {
  using folder = trialFolder();
  {
    using one = openJournal(folder.path);
    using two = openJournal(folder.path);
    written(one, 'one', [['1']]);
    written(two, 'two', [['2']]);
    using three = openJournal(folder.path);
    assert.deepEqual(three.left, [], 'whoever lives keeps its own');
  }
  using next = openJournal(folder.path);
  const found = next.left
    .flatMap((run) => [...run.batches()])
    .map(({ instance, number, count }) => [instance, number, count]);
  assert.deepEqual(found, [
    ['one', 1, 1],
    ['two', 1, 1],
  ]);
  for (const run of next.left) run.remove();
});

const line = (id: string, outcome: 'allow' | 'deny') => ({
  id,
  at: '2030-01-01T00:00:00.000Z',
  outcome,
  method: 'GET',
  path: '/',
});

test('strict lets nothing pass as soon as the log is away, bounded until its number; refusals are written down meanwhile', async () => {
  for (const mode of ['strict', 'bounded'] as const) {
    using folder = trialFolder();
    using journal = openJournal(folder.path);
    let away = false;
    const got: Uint8Array[] = [];
    const records = recorder(
      {
        publish: async (sent) =>
          away ? Promise.reject(new Error('away')) : void got.push(...sent.map(({ bytes }) => bytes)),
      },
      { instance: mode, mode, decisionsMax: 10, journal, elapsed: () => performance.now(), log: silentLogger },
    );
    const empty = async () => {
      while (records.waiting() > 0) await pause(5);
    };
    assert.ok(records.take(line('first', 'allow')));
    await empty();
    away = true;
    assert.ok(records.take(line('noticed', 'allow')), 'nobody knows yet that it is away');
    while (!records.away()) await pause(5);
    assert.equal(records.take(line('meanwhile', 'allow')), mode === 'bounded');
    assert.equal(records.take(line('refused', 'deny')), true);
    assert.match(records.full() ?? '', mode === 'strict' ? /strict/ : /^$/);
    if (mode === 'bounded') {
      for (let number = 0; number < 7; number++) assert.ok(records.take(line(`more-${number}`, 'allow')));
      assert.equal(records.take(line('too-many', 'allow')), false);
      assert.equal(records.full(), '10 decisions wait for the log');
    }
    away = false;
    await empty();
    assert.equal(records.full(), undefined);
    assert.ok(records.take(line('last', 'allow')));
    await empty();
    const ids = got.flatMap((bytes) =>
      DecisionBatch.parse(JSON.parse(Buffer.from(bytes).toString())).decisions.map(({ id }) => id),
    );
    assert.equal(ids.length, mode === 'strict' ? 4 : 12);
    assert.equal(new Set(ids).size, ids.length);
    await records.stop(1_000);
  }
});

test('what waits beyond what memory holds is read from the journal again, in order', async () => {
  using folder = trialFolder();
  using journal = openJournal(folder.path, { segmentBytes: 200_000 });
  let away = true;
  const got: Uint8Array[] = [];
  const records = recorder(
    {
      publish: async (sent) =>
        away ? Promise.reject(new Error('away')) : void got.push(...sent.map(({ bytes }) => bytes)),
    },
    { instance: 'far', decisionsMax: 100_000, journal, elapsed: () => performance.now(), log: silentLogger },
  );
  const many = 15_000;
  for (let number = 0; number < many; number++)
    assert.ok(records.take({ ...line(`d-${number}`, 'allow'), path: `/${'y'.repeat(400)}` }));
  assert.ok(journal.bytes() > 64 * 60_000 * 1.2);
  away = false;
  while (records.waiting() > 0) await pause(5);
  const batches = got.map((bytes) => DecisionBatch.parse(JSON.parse(Buffer.from(bytes).toString())));
  assert.deepEqual(
    batches.map(({ batch }) => batch),
    batches.map((_, at) => at + 1),
  );
  assert.deepEqual(
    batches.flatMap(({ decisions }) => decisions.map(({ id }) => id)),
    Array.from({ length: many }, (_, at) => `d-${at}`),
  );
  await records.stop(1_000);
});

test('what is let in together is written before any of it goes on, and stands before what was decided later', async () => {
  using folder = trialFolder();
  using journal = openJournal(folder.path);
  const got: Uint8Array[] = [];
  const records = recorder(
    { publish: async (sent) => void got.push(...sent.map(({ bytes }) => bytes)) },
    { instance: 'near', decisionsMax: 300, journal, elapsed: () => performance.now(), log: silentLogger },
  );
  const went: string[] = [];
  let bytesBefore = journal.bytes();
  const admit = (id: string): void =>
    records.admit(line(id, 'allow'), (recorded) => {
      assert.ok(recorded);
      assert.ok(journal.bytes() > bytesBefore);
      went.push(id);
    });
  for (let number = 0; number < 100; number++) admit(`d-${number}`);
  assert.equal(journal.bytes(), bytesBefore);
  assert.deepEqual([went, records.waiting()], [[], 100]);
  await new Promise(setImmediate);
  assert.equal(went.length, 100);
  bytesBefore = journal.bytes();
  admit('before');
  // A refusal, or a cut of the one before, does not overtake it.
  assert.ok(records.take(line('refused', 'deny')));
  assert.equal(went.at(-1), 'before');
  for (let number = 0; number < 198; number++) admit(`more-${number}`);
  let refused = 0;
  records.admit(line('one-too-many', 'allow'), (recorded) => {
    if (!recorded) refused++;
  });
  assert.equal(refused, 1, 'what is let in already counts');
  await records.stop(1_000);
  const decisions = got.flatMap((bytes) => DecisionBatch.parse(JSON.parse(Buffer.from(bytes).toString())).decisions);
  assert.deepEqual(
    decisions.slice(99, 103).map(({ id }) => id),
    ['d-99', 'before', 'refused', 'more-0'],
  );
  assert.equal(decisions.length, 300);
});
