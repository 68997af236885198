/** Test language for deciders: given(commands).when(command).thenFacts(facts). Pure; used by tests only. */
import assert from 'node:assert/strict';
import {
  beginning,
  type Fact,
  type LoggedFact,
  Organisation,
  Problem,
  type Sequence,
  sealAppend,
  systemActor,
} from '@postern/schemas';
import type { Circumstances, Command } from './command.ts';
import { decide } from './decide.ts';

const clock = (): Circumstances => {
  let ids = 0;
  return {
    now: '2026-11-24T08:00:00.000Z',
    occurred: '2026-11-24T07:59:00.000Z',
    actor: systemActor('test'),
    newId: () => `01930000-0000-7000-8000-${String(++ids).padStart(12, '0')}`,
    correlation: 'test',
  };
};

export type Story = {
  readonly organisation: Organisation;
  /** Carries a command out; answers its facts' short names with their data. Throws the refusal's Problem. */
  readonly run: (command: Command, beforeApplied?: (facts: readonly Fact[]) => void) => Fact[];
};

export const story = (at: Partial<Circumstances> = {}): Story => {
  const organisation = new Organisation();
  const usual = clock();
  let head: Sequence = beginning;
  return {
    organisation,
    run: (command, beforeApplied = () => {}) => {
      const decided = decide(command, organisation, { ...usual, ...at });
      if (decided.outcome === 'refused') throw decided.problem;
      if (decided.outcome === 'nothing') return [];
      const entries = sealAppend(head, decided.facts) as (LoggedFact & { fact: Fact })[];
      beforeApplied(entries.map(({ fact }) => fact));
      for (const entry of entries) organisation.apply(entry);
      head = organisation.sequence;
      return entries.map(({ fact }) => fact);
    },
  };
};

export const given = (...commands: readonly Command[]) => {
  const told = story();
  for (const command of commands) told.run(command);
  return {
    when: (command: Command) => ({
      /** The facts, as `type` or as `type` with a part of its data. */
      thenFacts: (...expected: readonly (string | readonly [string, object])[]) => {
        const facts = told.run(command);
        assert.deepEqual(
          facts.map(({ type }) => type.replace(/^postern\.|\.v1$/g, '')),
          expected.map((each) => (typeof each === 'string' ? each : each[0])),
        );
        for (const [index, each] of expected.entries())
          if (typeof each !== 'string') assert.partialDeepStrictEqual(facts[index]?.data, each[1]);
        return told;
      },
      thenRefused: (code: Problem['code']) => {
        assert.throws(
          () => told.run(command),
          (error) => error instanceof Problem && error.code === code,
        );
        return told;
      },
    }),
  };
};
