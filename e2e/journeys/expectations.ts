/** What journeys expect of answers, as sentences. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, CallOptions, World } from '../world/world.ts';

/** How long something that has to come is waited for; no guarantee is measured by it. */
const patienceMs = 30_000;

/** Asks again until `look` finds something. */
export const eventually = async <Found>(
  what: string,
  look: () => Promise<Found | undefined> | Found | undefined,
): Promise<Found> => {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${patienceMs / 1_000} s`);
    await sleep(50);
  }
};

/** "Cannot decide now" is no answer to either question: it is asked again. */
const decided = async (world: World, path: string, options: CallOptions): Promise<Answer> =>
  eventually(`a decision about ${path}`, async () => {
    const answer = await world.call(path, options);
    return answer.status === 503 ? undefined : answer;
  });

/** Every gate lets the call pass. */
export const passes = async (world: World, path: string, options: CallOptions): Promise<void> => {
  for (const gate of world.gates.keys()) {
    const answer = await decided(world, path, { ...options, gate });
    assert.equal(answer.status, 200, `gate ${gate}: ${options.method ?? 'GET'} ${path}: ${answer.text}`);
  }
};

/** No gate lets the very next call pass; once each of them can decide it answers `status`. Answers with the last refusal. */
export const isRefused = async (world: World, path: string, options: CallOptions, status = 403): Promise<Answer> => {
  let refusal: Answer | undefined;
  const first = await Promise.all([...world.gates.keys()].map((gate) => world.call(path, { ...options, gate })));
  for (const [gate, answer] of first.entries())
    assert.ok(
      answer.status === status || answer.status === 503,
      `gate ${gate} answered ${answer.status}: ${answer.text}`,
    );
  for (const gate of world.gates.keys()) {
    refusal = await decided(world, path, { ...options, gate });
    assert.equal(refusal.status, status, `gate ${gate}: ${refusal.text}`);
  }
  assert.ok(refusal);
  return refusal;
};

/** Sends an event and waits until every gate enforces it. */
export const enforced = async (world: World, event: Parameters<World['send']>[0]): Promise<Answer> => {
  const answer = await world.send(event, { wait: 'enforced' });
  assert.equal(answer.status, 202, answer.text);
  assert.equal(answer.body['enforced'], true, answer.text);
  return answer;
};

/** A change by Postern's own API, in force everywhere when it answers. */
export const change = async (
  world: World,
  method: string,
  path: string,
  body: unknown,
  status: number,
): Promise<Answer> => {
  const answer = await world.call(`/.postern${path}?wait=enforced`, { method, body });
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.body['enforced'], true, answer.text);
  return answer;
};

export const joined = (subject: string, department?: string) => ({
  type: 'postern.person.joined.v1',
  subject,
  data: department === undefined ? {} : { department },
});
export const left = (subject: string) => ({
  type: 'postern.person.left.v1',
  subject,
  data: { reason: 'resigned' },
});
