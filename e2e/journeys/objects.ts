/** Who may open which employee is told by another system's events, and holds at every gate from the moment it was confirmed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { World } from '../world/world.ts';
import { change, enforced, isRefused, joined, left, passes } from './expectations.ts';

const manages = (subject: string, type = 'related') => ({
  type: `postern.object.${type}.v1`,
  subject: 'employee:42',
  data: { relation: 'manager', subject },
});

export const objectJourneys = (world: () => World): void => {
  describe('objects', () => {
    test('a manager opens the employees they manage and no others, as long as the HR system says so', async () => {
      const w = world();
      const [mine, other] = ['/payroll/employees/42', '/payroll/employees/43'];
      const as = { token: await w.token('maria') };
      await enforced(w, joined('user:maria'));
      await change(w, 'PUT', '/roles/employee-page', { allows: [{ endpoint: 'payroll/getEmployee' }] }, 201);
      await change(w, 'POST', '/grants', { subject: 'user:maria', role: 'employee-page', reason: 'a manager' }, 201);
      await isRefused(w, mine, { as });

      await enforced(w, manages('user:maria'));
      await passes(w, mine, { as });
      const refusal = await isRefused(w, other, { as });
      assert.deepEqual(refusal.body['objects'], ['employee:43#view']);
      await enforced(w, manages('user:maria', 'unrelated'));
      await isRefused(w, mine, { as });

      await enforced(w, manages('user:maria'));
      await enforced(w, left('user:maria'));
      await enforced(w, joined('user:maria'));
      await change(w, 'POST', '/grants', { subject: 'user:maria', role: 'employee-page', reason: 'is back' }, 201);
      await isRefused(w, mine, { as });
    });

    test('a relation that the schema does not know is refused, and holds nothing up', async () => {
      const w = world();
      await enforced(w, joined('user:mona'));
      const event = { ...manages('user:mona'), data: { relation: 'captain', subject: 'user:mona' } };
      const answer = await w.send(event);
      assert.equal(answer.status, 422, answer.text);
      assert.match(String(answer.body['detail']), /no relation of employee/);
      await enforced(w, manages('user:mona'));
    });
  });
};
