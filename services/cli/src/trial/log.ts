/** A log made of commands, as a gate's would be: for trials of what reads one. */
import { decideCommand } from '@postern/grants/app';
import type { ModelCommand } from '@postern/modelling/app';
import { type FactDraft, Organisation, sealAppend, systemActor } from '@postern/schemas';

export type TrialLog = {
  readonly facts: readonly FactDraft[];
  /** Rejects what the deciders refuse. */
  readonly tell: (...commands: readonly ModelCommand[]) => void;
  /** A fact that no decider made: from a system that was not asked. */
  readonly add: (type: FactDraft['type'], data: object) => void;
};

const at = '2026-11-20T08:00:00Z';

export const trialLog = (): TrialLog => {
  const organisation = new Organisation();
  const facts: FactDraft[] = [];
  let ids = 0;
  const newId = () => `0189ffff-0000-7000-8000-${(++ids).toString(16).padStart(12, '0')}`;
  const take = (drafts: readonly FactDraft[]): void => {
    facts.push(...drafts);
    for (const entry of sealAppend(organisation.sequence, drafts))
      if (entry.fact !== undefined) organisation.apply({ ...entry, fact: entry.fact });
  };
  return {
    facts,
    tell: (...commands) => {
      for (const command of commands) {
        const circumstances = { now: at, occurred: at, actor: systemActor('trial'), newId, correlation: newId() };
        const decided = decideCommand(command, organisation, circumstances);
        if (decided.outcome === 'refused') throw decided.problem;
        if (decided.outcome === 'facts') take(decided.facts);
      }
    },
    add: (type, data) => {
      const id = newId();
      const about = { source: '/elsewhere', time: at, recordedtime: at, correlationid: id, ...systemActor('trial') };
      take([{ id, type, ...about, data } as FactDraft]);
    },
  };
};
