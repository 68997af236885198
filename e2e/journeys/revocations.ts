/** What was answered as enforced is enforced: people come and go by the hundred while their calls keep coming at every gate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from '../world/world.ts';
import { enforced, joined, left, passes } from './expectations.ts';

const people = 8;
const cycles = 25;

export const revocationJourneys = (world: () => World): void => {
  test(`of ${people * cycles} confirmed revocations, not one is followed by a call that passes`, async () => {
    const w = world();
    const late: string[] = [];
    let allowed = 0;
    let refused = 0;

    const person = async (index: number): Promise<void> => {
      const name = `cycler-${index}`;
      const as = { token: await w.token(name) };
      /** Counts joinings asked for and leavings confirmed: while it is even, access is confirmed to be gone. */
      let generation = 0;
      let over = false;
      const caller = async (gate: number): Promise<void> => {
        while (!over) {
          const begunIn = generation;
          // An exchange under way when the person leaves is cut: its caller gets no answer at all.
          const answer = await w.call('/payroll/employees', { as, gate }).catch(() => undefined);
          const { status, text } = answer ?? { status: 0, text: 'cut' };
          if (status === 200) allowed++;
          else refused++;
          const gone = begunIn % 2 === 0 && begunIn === generation;
          if (status === 200 && gone) late.push(`${name} at gate ${gate} in ${begunIn}: ${text}`);
        }
      };
      const callers = [...w.gates.keys()].map(caller);
      try {
        for (let cycle = 0; cycle < cycles; cycle++) {
          generation++;
          await enforced(w, joined(`user:${name}`, 'finance'));
          if (cycle === 0) await passes(w, '/payroll/employees', { as });
          await enforced(w, left(`user:${name}`));
          generation++;
          const next = await Promise.all([...w.gates.keys()].map((gate) => w.call('/payroll/employees', { as, gate })));
          for (const { status } of next) if (status === 200) late.push(`${name}: the very next request passed`);
        }
      } finally {
        over = true;
        await Promise.all(callers);
      }
    };
    await Promise.all(Array.from({ length: people }, (_, index) => person(index)));

    assert.deepEqual(late, []);
    assert.ok(allowed >= people * w.gates.length, `only ${allowed} calls passed at all, ${refused} did not`);
  });
};
