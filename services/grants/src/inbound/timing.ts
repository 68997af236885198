/** When an event counts: members of `data` that any native event may have. */
import { z } from 'zod';

export const Timings = z.strictObject({
  /** RFC 3339: since or from when it holds, where that is not the event's own time. */
  effective: z.iso
    .datetime({ offset: true, error: 'write an RFC 3339 instant' })
    .transform((instant) => new Date(instant).toISOString())
    .optional(),
  /** The id of an earlier event of the same source that waits and that this one replaces. */
  replaces: z.string().min(1).max(1000).optional(),
});
export type Timing = z.infer<typeof Timings>;
