/** Facts about what other systems say: claims that wait or came too late, events that are due later, what was put right. */
import { z } from 'zod';
import { PrincipalId } from '../ids.ts';
import { Claim } from './principal.ts';

const Instant = z.iso.datetime({ offset: true });
const reason = z.string().min(1).max(2000).optional();

/**
 * What a source said of a principal and what changed nothing when it came: something newer stands, it is so already, or the principal
 * has not joined. It counts all the same when an event arrives that is older than it.
 */
export const PrincipalClaimed = z.strictObject({ principal: PrincipalId, claim: Claim });

/** An event that was understood and asks for nothing: its id is known from here on. */
export const EventNoted = z.strictObject({ type: z.string().min(1).max(1000), why: z.string().max(2000) });

/** A native event, with nothing in it that may not enter the record. */
export const NativeEvent = z.strictObject({
  source: z.string().min(1).max(1000),
  id: z.string().min(1).max(1000),
  type: z.string().min(1).max(1000),
  subject: z.string().min(1).max(1000).optional(),
  data: z.record(z.string(), z.unknown()),
});
export type NativeEvent = z.infer<typeof NativeEvent>;

/** Waits until `due`; its id is the id of this fact. */
export const EventScheduled = z.strictObject({ due: Instant, event: NativeEvent });
export const EventUnscheduled = z.strictObject({
  scheduled: z.string().min(1),
  /** `quarantined`: when it was due it could not be applied. */
  outcome: z.enum(['enacted', 'replaced', 'cancelled', 'quarantined']),
  /** The source and id of the event that replaced or cancelled it, where there was one. */
  by: z.strictObject({ source: z.string(), id: z.string() }).optional(),
  reason,
});

/** What lay in quarantine was applied, as it was or put right, or was given up. Who did it says the envelope. */
export const EventReleased = z.strictObject({
  quarantined: z.string().min(1),
  outcome: z.enum(['applied', 'dismissed']),
  /** SHA-256 of the content that was applied in place of the original's, base64url. */
  fixed: z.string().optional(),
  reason,
});
