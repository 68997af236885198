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
  type PrincipalId,
  Problem,
  type RoleName,
  type Sequence,
} from '@postern/schemas';
import { isFromFiles } from './decide/from-files.ts';

/** How a (source, id) was answered the first time. */
export type Handled = {
  readonly digest: string;
  /** The first of the facts it became, and the last. */
  readonly sequence: Sequence;
  readonly last: Sequence;
};

/** Who repeats an event does it soon, so the facts of these many are at hand; those of the others are read from the log again. */
const usualRecentMax = 10_000;

export type GrantsState = {
  readonly organisation: Organisation;
  /** Roles whose last definition was published from files. */
  readonly rolesFromFiles: ReadonlySet<RoleName>;
  /** Whether addresses that meant the principal, in the accounts file with this digest, have changed hands. */
  readonly haveChangedHands: (principal: PrincipalId, accounts: string) => boolean;
  readonly handled: (source: string, id: string) => Handled | undefined;
  /** The facts that the event became; none where it is not known. Rejects where the log does. */
  readonly recall: (source: string, id: string) => Promise<readonly Fact[]>;
  /** Resolves once the state has taken in `sequence`; rejects with `event-log/unreachable` where it no longer follows the log. */
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

export const grantsState = (
  facts: Pick<EventLog['facts'], 'follow'>,
  { onStrangers, onNews }: StateEvents,
  recentMax = usualRecentMax,
): GrantsState => {
  const organisation = new Organisation();
  const inbound = new Map<string, { readonly digest: string; readonly sequence: Sequence; last: Sequence }>();
  const recent = new Map<string, Fact[]>();
  const rolesFromFiles = new Set<RoleName>();
  const changedHands = new Set<string>();
  let waiting: { sequence: Sequence; resolve: () => void; reject: (problem: Problem) => void }[] = [];
  let ended = false;
  const noLonger = () => new Problem('event-log/unreachable', { detail: 'this instance no longer follows the log' });
  let trouble: string | undefined = 'the facts log has not been read yet';

  const take = (entry: LoggedFact): void => {
    const { fact } = entry;
    if (fact === undefined)
      throw new Error(
        `fact ${entry.sequence} is of type ${entry.envelope.type}, which this version cannot read; start the version that wrote it`,
      );
    organisation.apply({ ...entry, fact });
    if (fact.type === 'postern.session.revoked.v1' && fact.data.addressesOf !== undefined)
      changedHands.add(`${fact.data.addressesOf} ${fact.data.principal}`);
    if (fact.type === 'postern.role.retired.v1') rolesFromFiles.delete(fact.data.role);
    if (fact.type === 'postern.role.defined.v1' || fact.type === 'postern.role.changed.v1')
      rolesFromFiles[isFromFiles(fact.data.reason) ? 'add' : 'delete'](fact.data.role);
    if (fact.inboundsource === undefined || fact.inboundid === undefined) return;
    const key = inboundKey(fact.inboundsource, fact.inboundid);
    const before = inbound.get(key);
    if (before) {
      before.last = entry.sequence;
      recent.get(key)?.push(fact);
      return;
    }
    inbound.set(key, { digest: fact.inbounddigest ?? '', sequence: entry.sequence, last: entry.sequence });
    recent.set(key, [fact]);
    if (recent.size > recentMax) for (const oldest of recent.keys()) if (recent.delete(oldest)) break;
  };
  const recall = async (source: string, id: string): Promise<readonly Fact[]> => {
    const key = inboundKey(source, id);
    const kept = recent.get(key);
    if (kept !== undefined) return kept;
    const known = inbound.get(key);
    if (known === undefined) return [];
    const found: Fact[] = [];
    const until = new AbortController();
    try {
      for await (const { entries } of facts.follow((known.sequence - 1) as Sequence, { signal: until.signal })) {
        for (const { fact, sequence } of entries)
          if (sequence <= known.last && fact?.inboundsource === source && fact.inboundid === id) found.push(fact);
        if ((entries.at(-1)?.sequence ?? 0) >= known.last) break;
      }
    } finally {
      until.abort();
    }
    return found;
  };

  return {
    organisation,
    rolesFromFiles,
    haveChangedHands: (principal, accounts) => changedHands.has(`${accounts} ${principal}`),
    handled: (source, id) => inbound.get(inboundKey(source, id)),
    recall,
    reached: (sequence) =>
      organisation.sequence >= sequence
        ? Promise.resolve()
        : new Promise((resolve, reject) => {
            if (ended) reject(noLonger());
            else waiting.push({ sequence, resolve, reject });
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
        // Whoever waits for what will not come would keep this process from stopping.
        ended = true;
        for (const { reject } of waiting.splice(0)) reject(noLonger());
      }
    },
  };
};

const inboundKey = (source: string, id: string): string => JSON.stringify([source, id]);
