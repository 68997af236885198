/**
 * Carries out what was scheduled, when it is due. Every instance tries; the log lets one win. What cannot be applied by then goes to
 * quarantine, like an event that has just come.
 */
import { setTimeout } from 'node:timers/promises';
import type { Clock, Logger } from '@postern/runtime';
import { isProblem, type Scheduled, systemActor } from '@postern/schemas';
import type { Commands } from '../commands.ts';
import type { GrantsState } from '../state.ts';
import type { Quarantine } from './quarantine.ts';

export type EnactorDeps = {
  readonly commands: Commands;
  readonly state: GrantsState;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  readonly log: Logger;
};

/** How late something may be noticed. New events and other instances' come at any moment, so no single timer would do. */
const lookEveryMs = 100;
/** After a failure of ours. */
const pauseMs = 1_000;

/** Resolves when `signal` aborts. */
export const enact = async ({ clock, state, ...deps }: EnactorDeps, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    let wait = lookEveryMs;
    for (const scheduled of state.organisation.inbox.due(clock.now())) {
      if (signal.aborted) return;
      try {
        await enactOne(scheduled, deps);
      } catch (error) {
        deps.log.warn({ err: error, scheduled: scheduled.id }, 'a scheduled event could not be carried out yet');
        wait = pauseMs;
      }
    }
    await setTimeout(wait, undefined, { signal }).catch(() => {});
  }
};

/** Where what could not be carried out when it was due comes from. */
export const scheduledSource = '/postern/scheduled';

const enactOne = async (
  { id, event, due, said }: Scheduled,
  { commands, quarantine, log }: Pick<EnactorDeps, 'commands' | 'quarantine' | 'log'>,
): Promise<void> => {
  const actor = systemActor('scheduled');
  const inbound = { source: scheduledSource, id, digest: '' };
  try {
    await commands({ command: { kind: 'enact-scheduled', scheduled: id }, actor, inbound });
  } catch (error) {
    if (!isProblem(error) || error.status >= 500) throw error;
    log.warn({ scheduled: id, why: error.message }, 'a scheduled event was quarantined');
    const content = { specversion: '1.0', ...event, time: said, data: { ...event.data, effective: due } };
    await quarantine.setAside({
      from: scheduledSource,
      position: id,
      bytes: new TextEncoder().encode(JSON.stringify(content)),
      why: error.message,
      event: { source: event.source, id: event.id },
      headers: { 'content-type': 'application/cloudevents+json' },
    });
    await commands({
      command: {
        kind: 'cancel-scheduled',
        scheduled: id,
        outcome: 'quarantined',
        reason: error.message.slice(0, 2000),
      },
      actor,
      inbound,
    });
  }
};
