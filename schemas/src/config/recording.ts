/** What a gate may let through while the log of decisions is away. */
import { z } from 'zod';

export const Recording = z.strictObject({
  /** `bounded`: what the log has not taken waits in a journal in the data folder, up to the limits, then nothing passes. `strict`: nothing passes while the log is away. */
  mode: z.enum(['bounded', 'strict']).default('bounded'),
  /** Decisions that may wait, in each gate. */
  decisionsMax: z.number().int().min(1).default(1_000_000),
  /** Bytes of the journal, in each gate. */
  bytesMax: z.number().int().min(1_048_576).default(1_073_741_824),
});
export type Recording = z.infer<typeof Recording>;
