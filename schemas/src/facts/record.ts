/** Facts about the record itself: what could not be read, what was enforced, who read the audit. */
import { z } from 'zod';

export const EventQuarantined = z.strictObject({
  /** Where the original bytes are kept: log and position in it. */
  from: z.string(),
  position: z.string(),
  why: z.string().max(2000),
  digest: z.string(),
  /** Which event it is, where it says so. */
  event: z.strictObject({ source: z.string(), id: z.string() }).optional(),
});
/** After the time that a barrier waits, these proxies had not said that they enforce `reached`. */
export const EnforcementLate = z.strictObject({
  reached: z.number().int().positive(),
  waitingFor: z.array(z.string()).max(100),
});
/** Every live proxy had reached `reached` at the fact's time, or its lease had run out. */
export const EnforcementReached = z.strictObject({
  reached: z.number().int().positive(),
  proxies: z.number().int().nonnegative(),
  lapsed: z.array(z.string()),
});
