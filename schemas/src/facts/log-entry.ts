/**
 * The rule that makes one order out of a log which anybody may write to: which records are facts, decided the same way by
 * every reader, from the bytes alone. See docs/adr/0002-compare-and-append.md.
 *
 * An append of n facts at head h writes n records with the sequences h+1 … h+n, all naming the first one's id as their
 * `appendid`, in one record batch. A reader at head h admits a record only if its sequence is h+1, and then only if it either
 * begins an append while none is open, or continues the open one. Everything else is a lost race or a stranger's record.
 */
import type { Sequence } from '../ids.ts';
import { next } from '../ids.ts';
import { Problem } from '../problems.ts';
import { Envelope } from './envelope.ts';
import { Fact, type FactDraft } from './fact.ts';

/** C2SP tlog-tiles: an entry's length is a uint16. We stay below it, with room for a bundle's own framing. */
export const factBytesMax = 60_000;
/** All facts of one append travel in one record batch, which has to fit Kafka's default `max.message.bytes`. */
export const appendBytesMax = 900_000;

/** An admitted record. `fact` is absent where this version cannot read the type or its data: a reader that acts on facts stops there. */
export type LoggedFact = {
  readonly sequence: Sequence;
  /** Verbatim: the leaf of the audit tree. */
  readonly bytes: Uint8Array;
  readonly envelope: Envelope;
  readonly fact?: Fact;
};

export type Admission =
  | { readonly outcome: 'admitted'; readonly entry: LoggedFact; readonly after: LogPosition }
  /** A writer that was not the first at its place; by the rule it never happened. */
  | { readonly outcome: 'lost-race' }
  /** Not one of ours: to be quarantined. */
  | { readonly outcome: 'foreign'; readonly why: string };

/** Where a reader stands: the sequence it has admitted, and the append that record belonged to. */
export type LogPosition = { readonly head: Sequence; readonly appendId: string };
export const logStart: LogPosition = { head: 0 as Sequence, appendId: '' };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** `unread`: whoever needs the order alone, and not what the facts say, is spared the reading of them. */
export const admit = (at: LogPosition, bytes: Uint8Array, { unread = false } = {}): Admission => {
  const parsed = readEnvelope(bytes);
  if ('why' in parsed) return { outcome: 'foreign', why: parsed.why };
  const { envelope } = parsed;
  const sequence = Number(envelope.sequence) as Sequence;
  if (sequence !== next(at.head)) return { outcome: 'lost-race' };
  const begins = envelope.appendid === envelope.id;
  if (!begins && envelope.appendid !== at.appendId) return { outcome: 'lost-race' };
  const fact = unread ? undefined : Fact.safeParse(envelope);
  return {
    outcome: 'admitted',
    entry: { sequence, bytes, envelope, ...(fact?.success && { fact: fact.data }) },
    after: { head: sequence, appendId: envelope.appendid },
  };
};

const readEnvelope = (bytes: Uint8Array): { envelope: Envelope } | { why: string } => {
  if (bytes.byteLength > factBytesMax) return { why: `larger than ${factBytesMax} bytes` };
  try {
    const envelope = Envelope.safeParse(JSON.parse(utf8.decode(bytes)));
    if (envelope.success) return { envelope: envelope.data };
    const issue = envelope.error.issues[0];
    return { why: `not a fact's envelope: ${issue?.path.join('.')}: ${issue?.message}` };
  } catch (error) {
    return { why: `not JSON in UTF-8: ${error instanceof Error ? error.message : error}` };
  }
};

/** Reads stored bytes that were admitted before (from the audit store, an export). */
export const readLoggedFact = (bytes: Uint8Array): LoggedFact => {
  const parsed = readEnvelope(bytes);
  if ('why' in parsed) throw new Problem('audit/record-altered', { detail: parsed.why });
  const fact = Fact.safeParse(parsed.envelope);
  return {
    sequence: Number(parsed.envelope.sequence) as Sequence,
    bytes,
    envelope: parsed.envelope,
    ...(fact.success && { fact: fact.data }),
  };
};

const encoder = new TextEncoder();

/** Gives drafts their places behind `expected` and their bytes. Throws `grants/fact-too-large`. */
export const sealAppend = (expected: Sequence, drafts: readonly FactDraft[]): LoggedFact[] => {
  const appendid = drafts[0]?.id;
  if (appendid === undefined) throw new RangeError('an append holds at least one fact');
  let total = 0;
  const entries = drafts.map((draft, index): LoggedFact => {
    const sequence = next(expected, index + 1);
    const { data, ...attributes } = draft;
    const fact = {
      specversion: '1.0',
      ...attributes,
      sequence: String(sequence).padStart(20, '0'),
      appendid,
      datacontenttype: 'application/json',
      data,
    } as Fact;
    const bytes = encoder.encode(JSON.stringify(fact));
    total += bytes.byteLength;
    if (bytes.byteLength > factBytesMax)
      throw new Problem('grants/fact-too-large', {
        detail: `a ${draft.type} fact would have ${bytes.byteLength} bytes; the limit is ${factBytesMax}`,
      });
    return { sequence, bytes, envelope: fact, fact };
  });
  if (total > appendBytesMax)
    throw new Problem('grants/fact-too-large', {
      detail: `${drafts.length} facts that belong together have ${total} bytes; the limit is ${appendBytesMax}`,
    });
  return entries;
};
