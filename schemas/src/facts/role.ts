/** A role bundles access to services and endpoints; roles.yaml and the roles API write these. */
import { z } from 'zod';
import { EndpointId, RoleName, SchemaName, ServiceName } from '../ids.ts';
import { Attributes } from './principal.ts';
import { provenance } from './provenance.ts';

export const AccessClass = z.enum(['read', 'write', 'admin']);
export type AccessClass = z.infer<typeof AccessClass>;

/** `employee:*` for every object of a type, `employee:42` for one of them. */
const AllowedObject = z.string().regex(/^[a-z][a-z0-9_]{1,62}[a-z0-9]:(\*|[A-Za-z0-9/_|+=-]{1,512})$/);

/** `{ service, access }` for a class of a service's endpoints, `{ endpoint }` for one of them, `{ object, permission }` for objects. */
export const Allowance = z.union(
  [
    z.strictObject({ service: ServiceName, access: AccessClass }),
    z.strictObject({ endpoint: EndpointId }),
    z.strictObject({ object: AllowedObject, permission: SchemaName }),
  ],
  {
    error:
      'write { service: NAME, access: read|write|admin }, { endpoint: SERVICE/OPERATION } or { object: "TYPE:*", permission: NAME }',
  },
);
export type Allowance = z.infer<typeof Allowance>;

/** "30m", "8h", "90d": how long a grant of the role may last. */
export const Duration = z.string().regex(/^[1-9]\d{0,4}(s|m|h|d)$/, 'write a duration such as 30m, 8h or 90d');
export const durationMs = (duration: string): number =>
  Number(duration.slice(0, -1)) *
  { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 }[duration.slice(-1) as 's' | 'm' | 'h' | 'd'];

/** Who decides: `manager` (of whom it is about), `owner` (of the role), `role:NAME` (whoever holds it), `user:NAME`. */
const Deciders = z.array(z.string().min(1).max(1100)).min(1);

export const RoleRules = z.strictObject({
  description: z.string().max(500).optional(),
  allows: z.array(Allowance).min(1, 'a role that allows nothing is no role'),
  /** Whoever has all of these attributes holds the role, and loses it when one changes. */
  birthright: Attributes.refine(
    (attributes) => Object.keys(attributes).length > 0,
    'a birthright names at least one attribute',
  ).optional(),
  separateFrom: z.array(RoleName).optional(),
  maxDuration: Duration.optional(),
  /** Who answers for the role: `user:NAME`, or `role:NAME` for whoever holds that. */
  owner: z
    .string()
    .regex(/^(user|role):\S{1,512}$/, 'write user:NAME or role:NAME')
    .optional(),
  /** Who may approve a request for the role; without any it cannot be asked for. */
  approvers: z.array(z.string().min(1)).optional(),
  /** How many different people have to approve, or `all`: every approver on the list, by a person of its own. One where nothing is said. */
  approvals: z.union([z.number().int().min(1).max(20), z.literal('all')]).optional(),
  /** Who may take the role at once in an emergency, for how long at most (1h where nothing is said), and who reviews it afterwards (else the approvers). */
  breakGlass: z
    .strictObject({ for: Deciders, maxDuration: Duration.optional(), reviewers: Deciders.optional() })
    .optional(),
});
export type RoleRules = z.infer<typeof RoleRules>;

const why = { reason: z.string().min(1).max(2000).optional(), ...provenance };
export const RoleDefined = z.strictObject({ role: RoleName, rules: RoleRules, ...why });
export const RoleChanged = z.strictObject({ role: RoleName, before: RoleRules, rules: RoleRules, ...why });
export const RoleRetired = z.strictObject({ role: RoleName, ...why });
