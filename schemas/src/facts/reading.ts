/** Reading the record is something that happened too; so is recording that begins, ends or falters. */
import { z } from 'zod';

const Instant = z.iso.datetime({ offset: true });
const count = z.number().int().nonnegative();

/** What of the record was read. */
export const readKinds = ['facts', 'decisions', 'as-of', 'question', 'last-use', 'log', 'export'] as const;
export type ReadKind = (typeof readKinds)[number];

/** Somebody read the record, once or again and again in the same way; who, is the envelope's actor. */
export const AuditRead = z.strictObject({
  what: z.enum(readKinds),
  /** What was asked for: of the names that point at people, endpoints, facts and times the values, of all others the names. */
  query: z.record(z.string().max(50), z.string().max(300)),
  others: z.array(z.string().max(50)).max(30).optional(),
  /** How often, and how many rows were handed out. */
  readings: count,
  rows: count,
  /** Of the readings counted here. */
  first: Instant,
  last: Instant,
  /** The key that it was read with. */
  credential: z.string().max(200).optional(),
});
export type AuditRead = z.infer<typeof AuditRead>;

const sizes = { facts: count, decisions: count };
/** The audit room began to take in; the entries that the record held then. */
export const LoggingStarted = z.strictObject({ ...sizes, instance: z.string().max(100) });
/** It ended in order. A start that follows a start without this had been killed. */
export const LoggingStopped = z.strictObject({ ...sizes, instance: z.string().max(100) });
/** The record did not keep up, or could not be signed, from `since` on. */
export const LoggingDegraded = z.strictObject({
  instance: z.string().max(100),
  since: Instant,
  /** Left out while it lasts. */
  until: Instant.optional(),
  why: z.array(z.string().max(500)).max(10),
});
