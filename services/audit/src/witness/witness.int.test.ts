import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { silentLogger, systemClock } from '@postern/runtime';
import type { Sequence } from '@postern/schemas';
import {
  cosignatures,
  edgeRoot,
  growEdge,
  leafHash,
  parseWitnessVkey,
  proveConsistency,
  signCheckpoint,
  subtreesOf,
  vkeyText,
  writeConsistency,
} from '@postern/schemas/tlog';
import { logKeys, makeSigningKey, parseSigningKeys, verifyLog, type Witness, witnessService } from '../app.ts';
import { sha256 } from '../sha256.ts';
import { auditRoom, until } from '../testing/audit-room.ts';
import { grantIssued } from '../testing/log-content.ts';

type Listening = AsyncDisposable & Witness & { readonly url: string };
const listening = async (name: string, logs: string, state: string, key = makeSigningKey()): Promise<Listening> => {
  const witness = await witnessService({ name, key, logs, state, clock: systemClock, log: silentLogger });
  const url = await witness.http.listen({ port: 0, host: '127.0.0.1' });
  return { ...witness, url, [Symbol.asyncDispose]: () => witness.stop() };
};
const folder = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'postern-witness-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};

/** A log of numbered entries, and what it would send; `salt` makes another log under the same key. */
const numberedLog = async (origin: string, key: string) => {
  const { signers } = await logKeys(origin, parseSigningKeys(key));
  const leavesOf = (salt: string, count: number) =>
    Array.from({ length: count }, (_, at) => leafHash(sha256, Buffer.from(`${at < 4 ? '' : salt}${at}`)));
  const signed = (count: number, salt: string) =>
    signCheckpoint(
      { origin, size: count, root: edgeRoot(sha256, growEdge(sha256, [], 0, leavesOf(salt, count))) },
      signers,
    );
  return {
    vkey: signers.map(vkeyText).join('\n'),
    request: async (oldSize: number, size: number, salt = '') => {
      const subtree = subtreesOf(sha256, async (from, to) => leavesOf(salt, size).slice(from, to));
      const path = oldSize > size ? [] : await proveConsistency(sha256, subtree, oldSize, size);
      return writeConsistency({ oldSize, path, checkpoint: await signed(size, salt) });
    },
  };
};

test('a witness answers as C2SP tlog-witness says, and remembers what it has signed when it is started again', async () => {
  await using here = await folder();
  const mine = await numberedLog('log.example/facts', makeSigningKey());
  const strange = await numberedLog('other.example/facts', makeSigningKey());
  const forged = await numberedLog('log.example/facts', makeSigningKey());
  const key = makeSigningKey();
  const ask = async (witness: Listening, body: string) => {
    const response = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body });
    return [response.status, await response.text(), response.headers.get('content-type')] as const;
  };
  {
    await using witness = await listening('witness.example/w', mine.vkey, here.path, key);
    const status = async (body: string) => (await ask(witness, body))[0];
    assert.equal(await status('nonsense'), 400);
    assert.equal(await status((await mine.request(0, 5)).replace('old 0', 'old 00')), 400);
    assert.equal(
      await status((await mine.request(0, 5)).replace('old 0\n', `old 0\n${'x'.repeat(43)}=\n`.repeat(64))),
      400,
    );
    assert.equal(await status(await strange.request(0, 5)), 404);
    assert.equal(await status(await forged.request(0, 5)), 403);
    assert.equal(await status(await mine.request(6, 5)), 400);
    assert.deepEqual(await ask(witness, await mine.request(3, 5)), [409, '0\n', 'text/x.tlog.size']);
    assert.equal(
      await status((await mine.request(0, 5)).replace('old 0\n', `old 0\n${Buffer.alloc(32).toString('base64')}\n`)),
      422,
    );

    const body = await mine.request(0, 5);
    const [signed, lines] = await ask(witness, body);
    assert.equal(signed, 200);
    const witnessed = await parseWitnessVkey(witness.vkey);
    assert.ok(witnessed);
    const note = body.slice(body.indexOf('\n\n') + 2);
    const [cosignature] = await cosignatures(note + lines, [witnessed]);
    assert.ok(cosignature && Math.abs(cosignature.seconds - Date.now() / 1_000) < 600);
    assert.equal((await cosignatures(note.replace('5\n', '6\n') + lines, [witnessed])).length, 0);
    assert.deepEqual((await ask(witness, body)).slice(0, 2), [409, '5\n']);
    assert.equal(await status(await mine.request(5, 5)), 200);
  }
  await using witness = await listening('witness.example/w', mine.vkey, here.path, key);
  const status = async (body: string) => (await ask(witness, body))[0];
  assert.equal(await status(await mine.request(5, 5, 'fork')), 409, 'another root for the same size');
  assert.equal(await status(await mine.request(5, 9, 'fork')), 422, 'another log');
  assert.equal(
    await status((await mine.request(5, 9)).replace(/\n[^\n]{44}\n/, '\n')),
    422,
    'a proof that lacks a line',
  );
  assert.deepEqual((await ask(witness, await mine.request(0, 9))).slice(0, 2), [409, '5\n']);
  const racing = await Promise.all([mine.request(5, 8), mine.request(5, 9), mine.request(5, 7)]);
  const answers = await Promise.all(racing.map((body) => status(body)));
  assert.deepEqual(answers.toSorted(), [200, 409, 409], 'of those that begin at one size one is signed');
});

const fill = async (eventLog: EventLog, from: number, to: number, number = from): Promise<void> => {
  for (let at = from; at < to; at += 5)
    await eventLog.facts.append(
      at as Sequence,
      Array.from({ length: 5 }, (_, place) => grantIssued(number + at - from + place)),
    );
};

test('two of three witnesses make a checkpoint witnessed, one that is away holds nothing up, and a fork is said aloud', {
  timeout: 60_000,
}, async () => {
  await using here = await folder();
  const key = makeSigningKey();
  const vkeys = (
    await Promise.all(['facts', 'decisions'].map((log) => logKeys(`audit.example/${log}`, parseSigningKeys(key))))
  )
    .flatMap(({ signers }) => signers.map(vkeyText))
    .join('\n');
  await using one = await listening('witness.example/one', vkeys, join(here.path, 'one'));
  await using two = await listening('witness.example/two', vkeys, join(here.path, 'two'));
  const away = await listening('witness.example/away', vkeys, join(here.path, 'away'));
  await away.stop();
  const keys = await Promise.all([one, two, away].map(({ vkey }) => parseWitnessVkey(vkey)));
  const witnesses = [one, two, away].flatMap(({ url }, at) => {
    const known = keys[at];
    return known === undefined ? [] : [{ url, key: known }];
  });
  const known = witnesses.map((witness) => witness.key);
  const config = { witnesses, quorum: 2, witnessEveryMs: 10 };
  const signingKeys = parseSigningKeys(key);
  {
    await using eventLog = await openEventLog('memory:');
    await fill(eventLog, 0, 20);
    await using store = await openAuditStore('memory:');
    await using room = await auditRoom({ eventLog, store, signingKeys }, config);
    const witnessedAt = (size: number) =>
      until(async () => (await store.reader.checkpointWith('facts', { witnesses: 2 }))?.size === size);
    await witnessedAt(20);
    await fill(eventLog, 20, 45);
    await witnessedAt(45);
    const note = (await room.gate.get(room.service, 'log/facts/witnessed')).text;
    assert.deepEqual((await cosignatures(note, known)).map((each) => each.key.name).toSorted(), [
      'witness.example/one',
      'witness.example/two',
    ]);
    const verified = await verifyLog({ get: room.log('facts'), vkey: await room.vkey('facts'), earlier: note });
    assert.equal(verified.outcome, 'intact');
    assert.deepEqual(room.service.watched?.(), []);
  }
  // The same key, another history: what a restored backup, or an operator with something to hide, would sign.
  await using eventLog = await openEventLog('memory:');
  await fill(eventLog, 0, 20);
  await fill(eventLog, 20, 60, 900);
  await using store = await openAuditStore('memory:');
  await using room = await auditRoom({ eventLog, store, signingKeys }, config);
  const told = () => (room.service.watched?.() ?? []).map(({ what }) => what).toSorted();
  await until(() => told().filter((what) => what.includes('are not the first of this log')).length === 2);
  assert.deepEqual(
    told(),
    ['one', 'two'].map(
      (name) =>
        `the witness witness.example/${name} contradicts facts: the 45 entries that it has signed are not the first of this log`,
    ),
  );
  assert.equal(await store.reader.checkpointWith('facts', { witnesses: 1 }), undefined);
});
