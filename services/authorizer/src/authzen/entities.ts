/** What AuthZEN 1.0 requests are made of. Unknown members are ignored, as its forward compatibility demands. */
import { z } from 'zod';

const Properties = z.record(z.string(), z.unknown());
const text = z.string().min(1).max(2_000);

export const Subject = z.object({ type: text, id: text, properties: Properties.optional() });
export const Action = z.object({ name: text, properties: Properties.optional() });
export const Resource = z.object({ type: text, id: text, properties: Properties.optional() });
export const EvaluationContext = z.record(z.string(), z.unknown());

export const Evaluation = z.object({
  subject: Subject,
  action: Action,
  resource: Resource,
  context: EvaluationContext.optional(),
});
export type Evaluation = z.infer<typeof Evaluation>;

export const semantics = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;
export type Semantic = (typeof semantics)[number];

/** The parts of a batch stay unread here: one that cannot be read fails its own item alone. */
export const Batch = z.object({
  subject: z.unknown().optional(),
  action: z.unknown().optional(),
  resource: z.unknown().optional(),
  context: z.unknown().optional(),
  evaluations: z.array(z.unknown()).max(10_000),
  options: z.object({ evaluations_semantic: z.enum(semantics).optional() }).optional(),
});
export type Batch = z.infer<typeof Batch>;

/** The searched entity has a type and no id; an id is ignored. */
const Page = z
  .object({ token: z.string().optional(), limit: z.number().int().min(1).max(10_000).optional() })
  .optional();
const rest = { context: EvaluationContext.optional(), page: Page };
export const SubjectSearch = z.object({
  subject: Subject.omit({ id: true }),
  action: Action,
  resource: Resource,
  ...rest,
});
export const ResourceSearch = z.object({
  subject: Subject,
  action: Action,
  resource: Resource.omit({ id: true }),
  ...rest,
});
export const ActionSearch = z.object({ subject: Subject, resource: Resource, ...rest });
export type SubjectSearch = z.infer<typeof SubjectSearch>;
export type ResourceSearch = z.infer<typeof ResourceSearch>;
export type ActionSearch = z.infer<typeof ActionSearch>;
