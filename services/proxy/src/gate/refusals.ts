/** Every way to say no at the gate: told to the caller, counted, and written down; what cannot be written down is refused for that. */
import type { Clock } from '@postern/runtime';
import { type Answer, type Organisation, objectsOf, type ProblemCode, type refusalReasons } from '@postern/schemas';
import type { NeededRoles } from '../needed.ts';
import type { Recorder } from '../record.ts';
import { type RefusalDetail, recordingRefused, toRefusal } from '../refusal.ts';
import { answer, type Door } from './door.ts';
import type { GateMetrics } from './metrics.ts';
import { operationRefused } from './operations.ts';
import { type Passage, toOutcome, toRecord, toUnreadableRecord } from './passage.ts';
import type { Unreadable } from './read.ts';

type Reason = (typeof refusalReasons)[number];
type Answered = ReturnType<typeof answer>;

/** What the parser could make nothing of: there is no request to answer, only a connection. */
export type Unparsed = {
  readonly remoteAddress: string | undefined;
  readonly why: string;
  readonly method?: string;
  readonly code?: ProblemCode;
};
export type RefusalText = { readonly id: string } & ReturnType<typeof toRefusal>;

export type Refusals = {
  readonly refuse: (
    passage: Passage,
    code: ProblemCode,
    reason: Reason,
    detail?: Omit<RefusalDetail, 'decision'>,
    of?: Partial<ReturnType<typeof toOutcome>>,
  ) => Answered;
  /** The answer was no: says what would be needed, to whom it may be said. */
  readonly denied: (
    passage: Passage,
    given: Extract<Answer, { outcome: 'deny' }>,
    cached: boolean | undefined,
  ) => Answered;
  /** The page's origin asks, not the caller: nothing is granted, and nothing is said about what exists. */
  readonly preflight: (passage: Passage) => Answered;
  readonly unreadable: (door: Door, id: string, read: Unreadable) => Answered;
  readonly unparsed: (id: string, about: Unparsed) => RefusalText;
};

export type RefusalsDeps = {
  readonly recorder: Pick<Recorder, 'take' | 'full'>;
  readonly metrics: Pick<GateMetrics, 'refused'>;
  readonly organisation: Pick<Organisation, 'principals'>;
  readonly needed: NeededRoles;
  readonly clock: Clock;
};

/** RFC 9110: an OPTIONS answer that grants no origin anything. */
const emptyPreflight = { status: 204, headers: { vary: 'Origin' }, body: '' };

export const refusals = ({ recorder, metrics, organisation, needed, clock }: RefusalsDeps): Refusals => {
  const full = (decision: string) => toRefusal('proxy/recording-full', { decision, ...recordingRefused(recorder) });

  const refuse: Refusals['refuse'] = (passage, code, reason, detail = {}, of = {}) => {
    const refusal = toRefusal(code, { decision: passage.id, ...detail });
    const outcome = refusal.status === 503 ? ('unavailable' as const) : ('deny' as const);
    metrics.refused(reason, outcome);
    const recorded = recorder.take(toRecord(passage, clock, { outcome, ...of, reason, refusedWith: refusal.status }));
    answer(passage.door, recorded ? refusal : full(passage.id), passage.id);
  };

  const unread = (
    about: { id: string; method: string; path: string; remoteAddress: string | undefined },
    code: ProblemCode,
    detail: string,
  ): RefusalText => {
    const refusal = toRefusal(code, { decision: about.id, detail });
    const reason = code === 'proxy/method-not-supported' ? 'method-not-supported' : 'ambiguous-request';
    metrics.refused(reason, 'deny');
    const recorded = recorder.take(
      toUnreadableRecord(about, clock, { outcome: 'deny', reason, refusedWith: refusal.status }),
    );
    return { id: about.id, ...(recorded ? refusal : full(about.id)) };
  };

  return {
    refuse,
    denied: (passage, given, cached) => {
      const { caller, match, objects } = passage;
      const known = caller !== undefined && organisation.principals.get(caller.principal)?.state === 'active';
      // Only a want of grants says that an object is what is missing: a condition may be of the endpoint's or of the object's.
      const named = match !== undefined && given.reason === 'no-grant' ? objectsOf(match) : undefined;
      const asked = named?.outcome === 'named' ? { objects: named.objects } : {};
      const lacks =
        known && match !== undefined
          ? needed.of(match.service.name, { subjects: caller.subjects, endpoint: match.endpoint.id, ...asked })
          : {};
      refuse(
        passage,
        'proxy/denied',
        given.reason,
        { ...lacks, ...operationRefused(passage), ...(known && { objects }) },
        toOutcome(given, cached),
      );
    },
    preflight: (passage) => {
      passage.match = undefined;
      metrics.refused('no-credential', 'deny');
      const recorded = recorder.take(
        toRecord(passage, clock, { outcome: 'deny', reason: 'no-credential', refusedWith: 204 }),
      );
      answer(passage.door, recorded ? emptyPreflight : full(passage.id), passage.id);
    },
    unreadable: (door, id, { method, path, code, why }) => {
      const { remoteAddress } = door.req.socket;
      answer(door, unread({ id, method, path, remoteAddress }, code, `${why}.`), id);
    },
    unparsed: (id, { remoteAddress, why, method = 'UNREADABLE', code = 'proxy/ambiguous-request' }) =>
      unread({ id, method, path: '', remoteAddress }, code, why),
  };
};
