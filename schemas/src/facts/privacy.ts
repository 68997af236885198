/** Personal data, how long the record is kept, and what keeps it from going: erasures, holds, policies and prunings are facts. */
import { z } from 'zod';
import { HoldId, PrincipalId } from '../ids.ts';

const Instant = z.iso.datetime({ offset: true });
const count = z.number().int().nonnegative();
// Not sealed: who erased or held what, and why, has to outlast what was erased. It names no person but by id.
const why = { reason: z.string().min(1).max(2000), ticket: z.string().min(1).max(200).optional() };

/** What was kept beside the log of somebody is gone from here on: the texts of facts before this one, their salts, the profile. */
export const SubjectErased = z.strictObject({
  subject: PrincipalId,
  /** How many texts were kept, by fact type and member: `postern.grant.issued.v1/reason`. */
  texts: z.record(z.string().max(200), count),
  /** The names and addresses that an identity system had written. */
  profile: z.boolean(),
  ...why,
});

/** What must stay. What is named together must hold together; a hold that names nothing but a reason keeps everything. */
export const HoldScope = z.strictObject({
  subject: PrincipalId.optional(),
  log: z.enum(['facts', 'decisions']).optional(),
  /** Of what happened in this time: from included, until not. */
  from: Instant.optional(),
  until: Instant.optional(),
});
export type HoldScope = z.infer<typeof HoldScope>;
export const isFromTo = ({ from, until }: HoldScope): boolean =>
  from === undefined || until === undefined || Date.parse(from) < Date.parse(until);
export const HoldPlaced = z.strictObject({ hold: HoldId, on: HoldScope, ...why });
export const HoldLifted = z.strictObject({ hold: HoldId, ...why });

/** How long a log is kept: a duration such as 400d, or for ever. */
export const Kept = z.string().regex(/^([1-9]\d{0,4}(s|m|h|d)|forever)$/, 'write a duration such as 400d, or forever');
/** From here on the logs are kept so long; published by the audit room as its configuration has it. */
export const RetentionApplied = z.strictObject({ facts: z.literal('forever'), decisions: Kept });

/** Entries [from, before) of the log may be removed by the policy; their leaf hashes stay. Written before anything is removed. */
export const RetentionPruned = z.strictObject({
  log: z.literal('decisions'),
  from: count,
  before: count,
  /** Everything in them happened before. */
  until: Instant,
  /** The Merkle root of the first `before` entries, base64: what was removed is what was signed. */
  root: z.string().max(100),
  policy: Kept,
});
