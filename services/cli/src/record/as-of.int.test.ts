/** The past is answered from the facts that matter; the fold of all facts must say the same, of every moment and for everybody. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AskPast, past } from '@postern/audit/app';
import { questionsOver } from '@postern/authorizer/app';
import { openRelationships } from '@postern/relationships/open';
import { gateSchema, type LoggedFact } from '@postern/schemas';
import { endpointIds, history, machines, people } from '@postern/schemas/histories';
import { numbers, standingAt } from './standing-at.ts';

const reader = (facts: readonly LoggedFact[]) => ({
  entries: async (_: string, from: number, to: number) => facts.slice(from, to).map(({ bytes }) => bytes),
});
const askPast: AskPast = questionsOver;
const openEngine = () => openRelationships('embedded:');

describe('the past', () => {
  for (const seed of [1, 2, 3, 4, 5, 6])
    test(`what the facts that matter say of anybody is what all facts say: history ${seed}`, async () => {
      const next = numbers(seed);
      const facts = history(
        Array.from({ length: 400 }, () => Array.from({ length: 8 }, next)),
        gateSchema,
      );
      await using asked = past({ entries: reader(facts), openEngine, askPast });
      let rights = 0;
      for (const share of [0.2, 0.4, 0.6, 0.8, 1]) {
        const sequence = Math.floor(facts.length * share);
        await using engine = await openEngine();
        const { organisation, questions } = await standingAt(engine, facts, sequence);
        const moment = await asked.moment(facts.length, { text: String(sequence), known: 'then', nowMs: 0 });
        for (const subject of [...people, ...machines, ...organisation.credentials.keys()]) {
          const told = (await asked.what(subject, moment)).map(({ endpoint, conditional }) => ({
            endpoint,
            conditional,
          }));
          assert.deepEqual(told, (await questions.what(subject)).endpoints, `${subject} at ${sequence}`);
          for (const right of await asked.what(subject, moment)) {
            rights++;
            assert.deepEqual(
              right.paths.map(({ grant, role, fact }) => ({ grant, role, fact })),
              questions.ways(subject, right.endpoint).map(({ grant, role, fact }) => ({ grant, role, fact })),
            );
          }
        }
        for (const endpoint of endpointIds) {
          const declared = [...organisation.services.values()].some(({ endpoints }) =>
            endpoints.some(({ id }) => id === endpoint),
          );
          if (!declared) {
            await assert.rejects(asked.who(endpoint, moment), /no published service declares/);
            continue;
          }
          const told = (await asked.who(endpoint, moment)).rights.map(({ subject, conditional }) => ({
            subject,
            conditional,
          }));
          assert.deepEqual(told, (await questions.who(endpoint)).subjects, `${endpoint} at ${sequence}`);
        }
      }
      assert.ok(rights > 10, `the history gives rights: ${rights}`);
    });
});
