/**
 * The guarantee that matters most, driven by a model: facts, requests, answers on their way, heartbeats, crashes, partitions and time
 * are interleaved at random, several proxies at once, and every allow is compared with what the log says.
 *
 *   A proxy that has applied the log up to N, at a moment when the log held M a lease ago and S was answered as enforced, allows only
 *   what some state from max(N, M, S) on allows; and when S is answered, no stream is open that every state from S on forbids.
 *
 * `e2e/guarantees/never-stale.long.test.ts` plays the same a hundred thousand times; `mutations.ts` beside the model shows what it notices.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSchedules } from '../trial/model/check.ts';

const seed = Number(process.env['SEED'] ?? 20261124);

test(`no interleaving of facts, requests, late answers, crashes and partitions lets through what the log forbids (seed ${seed})`, async () => {
  const told = await checkSchedules(500, seed);
  // The property says nothing unless all of this happened.
  for (const [what, times] of Object.entries(told)) assert.ok(times > 20, `${what} happened ${times} times`);
});
