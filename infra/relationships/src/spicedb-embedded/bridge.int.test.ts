import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { isProblem } from '@postern/schemas';
import { openRelationships } from '../open.ts';
import { bridgeTo } from './bridge.ts';

const dies = (code: string) => new Worker(code, { eval: true });
const names = (text: RegExp) => (error: unknown) => {
  assert.ok(isProblem(error, 'authorizer/engine-unreachable'));
  assert.match(error.message, text);
  return true;
};

test('a worker that crashes fails what was asked, and everything asked later, and says so', async () => {
  const bridge = bridgeTo(
    dies(`require('node:worker_threads').parentPort.on('message', () => { throw new Error('out of memory') })`),
    10_000,
  );
  const asked = [bridge.call('ping'), bridge.call('reached')];
  for (const each of asked) await assert.rejects(each, names(/embedded relationship engine stopped: out of memory/));
  await assert.rejects(bridge.call('ping'), names(/out of memory/));
  await bridge.stop();
});

test('a worker that says nothing is given up after the deadline', async () => {
  const bridge = bridgeTo(dies(`require('node:worker_threads').parentPort.on('message', () => {})`), 50);
  await assert.rejects(bridge.call('reached'), names(/no answer to "reached" within 50 ms/));
  await bridge.stop();
});

test('what is asked in one tick crosses in one post', async () => {
  const bridge = bridgeTo(
    dies(
      `const { parentPort } = require('node:worker_threads');
       parentPort.on('message', (calls) => parentPort.postMessage(calls.map(({ id }) => ({ id, value: calls.length }))))`,
    ),
    10_000,
  );
  assert.deepEqual(await Promise.all([bridge.call('ping'), bridge.call('ping'), bridge.call('reached')]), [3, 3, 3]);
  await bridge.stop();
});

test('an engine that was closed refuses, and closing it again is harmless', async () => {
  const engine = await openRelationships('embedded:');
  await engine[Symbol.asyncDispose]();
  await assert.rejects(engine.ping(), names(/was closed/));
  await engine[Symbol.asyncDispose]();
});

test('several engines live side by side and share nothing', async () => {
  await using first = await openRelationships('embedded:');
  await using second = await openRelationships('embedded:');
  await first.writeSchema('definition user {}');
  assert.deepEqual(await Array.fromAsync(second.read()), []);
  await assert.rejects(openRelationships('redis://elsewhere'), (error) => isProblem(error, 'runtime/bad-config'));
});
