/**
 * The envelope of a fact: a CloudEvents 1.0 event in structured JSON, with the official extensions for sequence,
 * correlation, authentication context and distributed tracing, and two of our own (`appendid`, `recordedtime` is official).
 * The bytes on the log are the leaf of the audit tree: they are written once and never serialised again.
 */
import { z } from 'zod';

const Instant = z.iso.datetime({ offset: true });

/** 20 digits, so that text order is number order (CloudEvents sequence extension). */
export const SequenceText = z.string().regex(/^\d{20}$/);

/** Who caused a fact: official CloudEvents `authtype` and `authid`. */
export const Actor = z.object({
  authtype: z.enum(['user', 'service_account', 'api_key', 'system', 'unauthenticated']),
  authid: z.string().min(1).max(1100),
});
export type Actor = z.infer<typeof Actor>;
export const systemActor = (part: string): Actor => ({ authtype: 'system', authid: `postern/${part}` });

export const envelopeShape = {
  specversion: z.literal('1.0'),
  id: z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'a UUIDv7'),
  source: z.string().startsWith('/postern/'),
  type: z.string().regex(/^postern\.[a-z.-]+\.v\d+$/),
  /** The opaque id of whom or what it is about; never an e-mail address: subjects travel into traces and keys. */
  subject: z.string().min(1).max(1100).optional(),
  /** When it happened, as the source says. */
  time: Instant,
  /** When it was first recorded here. */
  recordedtime: Instant,
  sequence: SequenceText,
  /** The id of the first fact of the append that this one belongs to: an append is admitted whole or not at all. */
  appendid: z.string().min(1),
  correlationid: z.string().min(1).max(1100),
  causationid: z.string().min(1).max(1100).optional(),
  /** The (source, id) of the inbound event behind it, where there is one: how a repeated event is known again. */
  inboundsource: z.string().min(1).max(1100).optional(),
  inboundid: z.string().min(1).max(1100).optional(),
  /** SHA-256 of the inbound event's content, base64url: the same id with other content is a conflict. */
  inbounddigest: z.string().optional(),
  /** When the source said it, where that is not `time`: of two events for the same time, what was said later counts. */
  inboundtime: Instant.optional(),
  authtype: Actor.shape.authtype,
  authid: Actor.shape.authid,
  /** Where the trace STARTED; hop context goes in transport headers. */
  traceparent: z.string().optional(),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string().optional(),
} as const;

export const Envelope = z.looseObject({ ...envelopeShape, data: z.unknown() });
export type Envelope = z.infer<typeof Envelope>;
