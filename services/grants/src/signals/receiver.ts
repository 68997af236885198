/**
 * Receives security events: verifies, finds out whom they mean and what for, and has it done. What cannot be applied lies in quarantine;
 * to the transmitter it is delivered all the same, because sending it again would not help.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '@postern/runtime';
import { type Actor, canonicalJson, isProblem, Problem, type Sequence, type Transmitter } from '@postern/schemas';
import { z } from 'zod';
import type { Commands, Done } from '../commands.ts';
import type { EventCommand } from '../decide/command.ts';
import type { Quarantine } from '../feeds/quarantine.ts';
import type { GrantsState } from '../state.ts';
import { type KnownAccounts, knownAccounts } from './accounts.ts';
import { type TransmitterKeys, transmitterKeys } from './keys.ts';
import { isAboutStream, type Meaning, meaningOf } from './meaning.ts';
import type { Streams } from './streams.ts';
import { type Resolved, resolveSubject } from './subjects.ts';
import { type SecurityEvent, type SetError, SubjectId, verifySet } from './verify.ts';

export type Delivered =
  /** `sequence`: the last fact it led to; absent where it lies in quarantine. */
  | { readonly outcome: 'accepted'; readonly jti: string; readonly sequence?: Sequence }
  | { readonly outcome: 'refused'; readonly error: SetError };

/** How what is verified is kept: the transmitter by its name. */
const KeptEvent = z.strictObject({
  transmitter: z.string(),
  jti: z.string().min(1),
  issuedAt: z.number(),
  type: z.string().min(1),
  event: z.record(z.string(), z.unknown()),
  subject: SubjectId.optional(),
  happenedAt: z.number().optional(),
});
type KeptEvent = z.infer<typeof KeptEvent>;
export const keptType = 'application/vnd.postern.security-event+json';

export type Receiver = {
  /** Rejects for failures of ours alone: then it is to be sent again. */
  readonly receive: (token: string, actor: Actor) => Promise<Delivered>;
  /** Reads what other transmitters need and answers how to go over to them; throws `runtime/bad-config` where that cannot be read. */
  readonly prepare: (transmitters: readonly Transmitter[]) => () => void;
  /** What was verified when it came, applied now; rejects with the problem. */
  readonly apply: (kept: unknown, actor: Actor) => Promise<Done>;
};

export type ReceiverDeps = {
  readonly transmitters: readonly Transmitter[];
  readonly commands: Commands;
  readonly state: Pick<GrantsState, 'haveChangedHands'>;
  readonly quarantine: Quarantine;
  readonly streams: Streams;
  readonly clock: Clock;
  readonly log: Logger;
};

export const receiver = ({
  transmitters,
  commands,
  state,
  quarantine,
  streams,
  clock,
  log,
}: ReceiverDeps): Receiver => {
  /** By file. */
  const accounts = new Map<string | undefined, KnownAccounts>();
  const knownOf = (all: readonly Transmitter[]) =>
    all.map((transmitter) => {
      const { accounts: file } = transmitter.subjects;
      const read = accounts.get(file) ?? knownAccounts(file, state.haveChangedHands);
      accounts.set(file, read);
      const same = known.find((each) => isDeepStrictEqual(each.transmitter, transmitter));
      return same ?? { transmitter, keys: transmitterKeys(transmitter), accounts: read };
    });
  let known: { transmitter: Transmitter; keys: TransmitterKeys; accounts: KnownAccounts }[] = [];
  known = knownOf(transmitters);
  const accountsOf = (name: string) => known.find(({ transmitter }) => transmitter.name === name)?.accounts;

  const apply = async (event: SecurityEvent, actor: Actor): Promise<Done> => {
    const { transmitter, jti, type, subject, issuedAt, happenedAt } = event;
    const now = clock.now();
    const meaning = meaningOf(event, now);
    const accounts = accountsOf(transmitter.name);
    const resolved: Resolved = isAboutStream(meaning)
      ? { outcome: 'unresolved', why: '' }
      : resolveSubject(subject, transmitter, accounts?.of ?? (() => undefined));
    const inner = toCommand(meaning, resolved, event, accounts?.digest() ?? '');
    // Whole seconds: it may have been at the end of that one, and what came here within it may have been before.
    const at = (instant: number): string => new Date(Math.min(instant + 999, now)).toISOString();
    const principal = 'principal' in inner ? inner.principal : undefined;
    const done = await commands({
      command: {
        kind: 'apply-event',
        event: {
          source: transmitter.issuer,
          id: jti,
          type,
          ...(principal !== undefined && { subject: principal }),
          data: {},
        },
        inner,
      },
      actor,
      occurred: at(happenedAt ?? issuedAt),
      said: at(issuedAt),
      correlation: jti,
      causation: jti,
      inbound: { source: transmitter.issuer, id: jti, digest: contentDigest(event) },
    });
    streams.heard(transmitter.name, meaning);
    return done;
  };

  return {
    prepare: (all) => {
      const next = knownOf(all);
      return () => {
        known = next;
      };
    },
    apply: async (given, actor) => {
      const { transmitter: name, subject, happenedAt, ...kept } = KeptEvent.parse(given);
      const transmitter = known.find((each) => each.transmitter.name === name)?.transmitter;
      if (transmitter === undefined) throw new Problem('grants/unknown-stream', { detail: name });
      return apply({ ...kept, subject, happenedAt, transmitter }, actor);
    },
    receive: async (token, actor) => {
      const verified = await verifySet(token, known, clock.now());
      if (verified.outcome === 'keys-away') throw new Problem('grants/keys-away', { detail: verified.why });
      if (verified.outcome === 'refused') {
        log.warn({ ...verified.error, jti: verified.jti }, 'a security event was refused');
        return verified;
      }
      const { event } = verified;
      const { transmitter, jti } = event;
      try {
        const { sequence } = await apply(event, actor);
        return { outcome: 'accepted', jti, sequence };
      } catch (error) {
        if (!isProblem(error) || error.status >= 500) throw error;
        log.warn({ jti, why: error.message }, 'a security event was quarantined');
        const { subject, happenedAt, ...certain } = event;
        const kept: KeptEvent = {
          ...certain,
          transmitter: transmitter.name,
          ...(subject !== undefined && { subject }),
          ...(happenedAt !== undefined && { happenedAt }),
        };
        const bytes = new TextEncoder().encode(JSON.stringify(kept));
        await quarantine.setAside({
          from: `ssf/${transmitter.name}`,
          position: `${jti}/${contentDigest(event)}`,
          bytes,
          why: error.message,
          event: { source: transmitter.issuer, id: jti },
          headers: { 'content-type': keptType },
        });
        return error.code === 'grants/event-conflict'
          ? {
              outcome: 'refused',
              error: { err: 'invalid_request', description: 'this jti came before, with another event' },
            }
          : { outcome: 'accepted', jti };
      }
    },
  };
};

/** Throws `grants/unresolved-subject` where somebody has to be meant. */
const toCommand = (
  meaning: Meaning,
  resolved: Resolved,
  { transmitter, type }: SecurityEvent,
  accounts: string,
): EventCommand => {
  const principal = () => {
    if (resolved.outcome === 'resolved') return resolved.principal;
    throw new Problem('grants/unresolved-subject', {
      detail: `${type} of ${transmitter.name}: ${resolved.why}`,
      fix: 'Say whom it means under subjects of the transmitter, then replay it; or dismiss it.',
    });
  };
  const ends = (before: number, reason: string, addressesOf?: string): EventCommand => ({
    kind: 'revoke-sessions',
    principal: principal(),
    before: new Date(before).toISOString(),
    evenUnknown: true,
    addressesOf,
    reason,
  });
  switch (meaning.kind) {
    case 'end-sessions':
      return ends(meaning.before, meaning.why);
    case 'leave':
      return { kind: 'leave', principal: principal(), reason: meaning.why };
    case 'return':
      return { kind: 'reinstate', principal: principal(), source: transmitter.issuer, reason: meaning.why };
    case 'recycled': {
      // An id that is the principal’s own now names somebody else, who is not to inherit what the first one held.
      const own = resolved.outcome === 'resolved' && resolved.account === undefined;
      return own && type.endsWith('recycled')
        ? { kind: 'leave', principal: principal(), reason: meaning.why }
        : ends(meaning.before, meaning.why, own ? undefined : accounts);
    }
    case 'verification':
      return { kind: 'note', type, why: `the stream of ${transmitter.name} is verified` };
    case 'stream-updated':
      return { kind: 'note', type, why: `the stream of ${transmitter.name} is ${meaning.status}` };
    case 'nothing':
      return { kind: 'note', type, why: meaning.why };
    default:
      return meaning satisfies never;
  }
};

const contentDigest = ({ type, event, subject }: SecurityEvent): string =>
  createHash('sha256').update(canonicalJson({ type, event, subject })).digest('base64url');
