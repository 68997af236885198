/** `feeds.yaml`: what the events of other systems mean here. A rule's name → whose events it reads, and what it makes of them. */
import { z } from 'zod';

export const FeedName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{1,62}[a-z0-9]$/, 'a name is 3 to 64 of a-z, 0-9, _ and -, beginning with a letter');

/** `com.workday.worker.hired`, or `com.workday.*` for all that begin so. */
const EventType = z
  .string()
  .regex(/^[^*\s]+(\.\*)?$/, 'write a type, or the beginning of types with .* behind it')
  .refine((type) => !type.startsWith('postern.'), 'types that begin with postern. mean what they mean');

export const FeedRule = z.strictObject({
  description: z.string().max(500).optional(),
  /** The CloudEvents that are read by this rule, wherever they come from. Any other JSON is sent to it by its name. */
  types: z.array(EventType).default([]),
  /** The source of the events it makes, where neither it nor the event that it reads names one. */
  source: z.string().min(1).max(1000).optional(),
  /** JSONata: of what came it makes an event, an array of them, or nothing. */
  events: z.string().min(1),
  /** How long it may take for one message, in ms. */
  timeoutMs: z.number().int().min(10).max(10_000).default(1_000),
});
export type FeedRule = z.infer<typeof FeedRule>;

export const FeedsYaml = z.record(FeedName, FeedRule);
export type FeedsYaml = z.infer<typeof FeedsYaml>;
