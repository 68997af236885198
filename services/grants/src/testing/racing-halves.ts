/** Two writers of one log, as two instances of grants are, each of which says yes to one half of what must be kept separate. */
import assert from 'node:assert/strict';
import type { EventLog } from '@postern/event-log';
import { systemClock } from '@postern/runtime';
import { isProblem, PrincipalId, RoleName, RoleRules, type SubjectId } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { commandHandler, turns } from '../commands.ts';
import type { Command, Deciding } from '../decide/command.ts';
import { rolesHeldBy } from '../decide/duties.ts';
import { grantsState } from '../state.ts';

const person = (name: string): PrincipalId => PrincipalId.parse(`user:${name}`);
const role = (name: string): RoleName => RoleName.parse(name);
const boss: Deciding = { principal: person('boss'), through: [] };

/** Each opens the log for itself; the state of each follows it by itself. */
const instance = (log: EventLog['facts'], onLost: () => void) => {
  const facts: EventLog['facts'] = {
    ...log,
    append: async (expected, drafts) => {
      const appended = await log.append(expected, drafts);
      if (appended.outcome === 'lost') onLost();
      return appended;
    },
  };
  const stopping = new AbortController();
  const state = grantsState(facts, { onStrangers: () => {}, onNews: () => {} });
  const following = state.follow(stopping.signal);
  const commands = commandHandler({ facts, state, clock: systemClock, telemetry: noTelemetry, turns: turns() });
  return {
    state,
    run: (command: Command) => commands({ command }),
    ready: async () => {
      while (state.notReady() !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await following;
    },
  };
};

/** In every round both halves are asked for, and two instances say yes to one each at the same moment. Answers how often each was first, and how many appends lost their race. */
export const raceForHalves = async (
  open: () => Promise<EventLog>,
  rounds: number,
): Promise<{ left: number; right: number; lost: number }> => {
  const won = { left: 0, right: 0, lost: 0 };
  const onLost = (): void => {
    won.lost++;
  };
  await using one = await open();
  await using other = await open();
  await using left = instance(one.facts, onLost);
  await using right = instance(other.facts, onLost);
  await Promise.all([left.ready(), right.ready()]);
  const rules = (more: object) =>
    RoleRules.parse({ allows: [{ service: 'payroll', access: 'read' }], approvers: ['manager'], ...more });
  await left.run({ kind: 'define-role', role: role('enter'), rules: rules({ separateFrom: ['check'] }) });
  await left.run({ kind: 'define-role', role: role('check'), rules: rules({}) });
  await left.run({ kind: 'join', principal: person('boss'), attributes: {} });
  for (let round = 0; round < rounds; round++) {
    const subject = person(`racer-${round}`);
    await left.run({ kind: 'join', principal: subject, attributes: { manager: boss.principal } });
    const ask = async (what: string) => {
      const command = { kind: 'ask-for-role', subject, requester: subject, role: role(what), reason: 'race' } as const;
      const [fact] = (await left.run(command)).facts;
      assert.equal(fact?.type, 'postern.grant.requested.v1');
      return fact.data.request;
    };
    const [enter, check] = [await ask('enter'), await ask('check')];
    await Promise.all([left, right].map(({ state }) => state.reached(left.state.organisation.sequence)));
    const answers = await Promise.allSettled([
      left.run({ kind: 'approve-request', request: enter, deciding: boss }),
      right.run({ kind: 'approve-request', request: check, deciding: boss }),
    ]);
    for (const answer of answers)
      if (answer.status === 'rejected')
        assert.ok(isProblem(answer.reason, 'grants/separation-of-duties'), String(answer.reason));
    assert.deepEqual(answers.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], `round ${round}`);
    won[answers[0].status === 'fulfilled' ? 'left' : 'right']++;
    // And two direct grants, of which neither is asked about.
    const direct = person(`direct-${round}`);
    await left.run({ kind: 'join', principal: direct, attributes: {} });
    const give = (what: string): Command => ({
      kind: 'issue-grant',
      subject: direct as unknown as SubjectId,
      role: role(what),
      reason: 'race',
    });
    await Promise.allSettled([left.run(give('enter')), right.run(give('check'))]);
    for (const { state } of [left, right]) {
      await state.reached(await one.facts.head());
      for (const each of [subject, direct]) assert.equal(rolesHeldBy(state.organisation, each).size, 1, each);
    }
  }
  return won;
};
