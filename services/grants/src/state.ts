/**
 * What the deciders decide on: the organisation at the head of the log, and which inbound events are already in it.
 * Follows the log for ever; a command waits here until the state has reached what it must rest on.
 */
import type { EventLog, Stranger } from '@postern/event-log';
import {
  beginning,
  type Fact,
  type LoggedFact,
  Organisation,
  Problem,
  type RoleName,
  type Sequence,
} from '@postern/schemas';
import { isFromFiles } from './decide/from-files.ts';

/** How a (source, id) was answered the first time. */
export type Handled = { readonly digest: string; readonly sequence: Sequence; readonly facts: readonly Fact[] };

export type GrantsState = {
  readonly organisation: Organisation;
  /** Roles whose last definition was published from files. */
  readonly rolesFromFiles: ReadonlySet<RoleName>;
  readonly handled: (source: string, id: string) => Handled | undefined;
  /** Resolves once the state has taken in `sequence`; rejects where nothing is taken in any more. */
  readonly reached: (sequence: Sequence) => Promise<void>;
  /** Follows until `signal` aborts; rejects when the log can no longer be followed. */
  readonly follow: (signal: AbortSignal) => Promise<void>;
  /** Why the state is not to be trusted yet; undefined when it is. */
  readonly notReady: () => string | undefined;
};

export type StateEvents = {
  /** Records in the facts stream that are no facts. */
  readonly onStrangers: (strangers: readonly Stranger[]) => void;
  /** Facts that came after the head of the start had been read: news, not history. */
  readonly onNews: (facts: readonly Fact[]) => void;
};

export const grantsState = (facts: EventLog['facts'], { onStrangers, onNews }: StateEvents): GrantsState => {
  const organisation = new Organisation();
  const inbound = new Map<string, { digest: string; sequence: Sequence; facts: Fact[] }>();
  const rolesFromFiles = new Set<RoleName>();
  let waiting: { sequence: Sequence; resolve: () => void; reject: (error: Error) => void }[] = [];
  let ended: Problem | undefined;
  let trouble: string | undefined = 'the facts log has not been read yet';

  const take = (entry: LoggedFact): void => {
    const { fact } = entry;
    if (fact === undefined)
      throw new Error(
        `fact ${entry.sequence} is of type ${entry.envelope.type}, which this version cannot read; start the version that wrote it`,
      );
    organisation.apply({ ...entry, fact });
    if (fact.type === 'postern.role.retired.v1') rolesFromFiles.delete(fact.data.role);
    if (fact.type === 'postern.role.defined.v1' || fact.type === 'postern.role.changed.v1')
      rolesFromFiles[isFromFiles(fact.data.reason) ? 'add' : 'delete'](fact.data.role);
    if (fact.inboundsource === undefined || fact.inboundid === undefined) return;
    const key = inboundKey(fact.inboundsource, fact.inboundid);
    const before = inbound.get(key);
    if (before) before.facts.push(fact);
    else inbound.set(key, { digest: fact.inbounddigest ?? '', sequence: entry.sequence, facts: [fact] });
  };

  return {
    organisation,
    rolesFromFiles,
    handled: (source, id) => inbound.get(inboundKey(source, id)),
    reached: (sequence) =>
      organisation.sequence >= sequence
        ? Promise.resolve()
        : ended !== undefined
          ? Promise.reject(ended)
          : new Promise((resolve, reject) => {
              waiting.push({ sequence, resolve, reject });
            }),
    notReady: () => trouble,
    follow: async (signal) => {
      try {
        for await (const { entries, atHead, strangers } of facts.follow(beginning, { signal })) {
          for (const entry of entries) take(entry);
          if (trouble === undefined && entries.length > 0) onNews(entries.flatMap(({ fact }) => fact ?? []));
          if (atHead) trouble = undefined;
          if (entries.length > 0) {
            const ready = waiting.filter(({ sequence }) => sequence <= organisation.sequence);
            waiting = waiting.filter(({ sequence }) => sequence > organisation.sequence);
            for (const { resolve } of ready) resolve();
          }
          if (strangers.length > 0) onStrangers(strangers);
        }
      } catch (error) {
        trouble = error instanceof Error ? error.message : String(error);
        throw error;
      } finally {
        // Whoever waits here at the end of the room would keep it from ending.
        ended = new Problem('event-log/unreachable', { detail: trouble ?? 'the facts are no longer followed' });
        for (const { reject } of waiting) reject(ended);
        waiting = [];
      }
    },
  };
};

const inboundKey = (source: string, id: string): string => JSON.stringify([source, id]);
