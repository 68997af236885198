/**
 * Why: the way through the graph for an allow, the nearest misses for a deny. Read off the organisation, which knows what the
 * engine does not: which grant, which fact, by whom and what for.
 */
import type {
  AccessClass,
  Allowance,
  Context,
  ContextField,
  CredentialId,
  Endpoint,
  EndpointId,
  Grant,
  GroupId,
  Organisation,
  PrincipalId,
  RoleName,
  Sequence,
  SubjectId,
} from '@postern/schemas';
import { type ConditionName, judge } from './conditions.ts';

export type Way = {
  readonly subject: string;
  readonly grant: string;
  /** The fact that issued it, and who caused that. */
  readonly fact: Sequence;
  readonly by: string;
  readonly reason: string;
  readonly role: RoleName;
  /** The group that holds the role, where the subject is in it. */
  readonly group?: GroupId;
  /** What of the role reaches the endpoint. */
  readonly allows: Allowance;
  readonly conditions?: Grant['conditions'];
};

export type Miss =
  /** A grant would do, but for these of its conditions. */
  | (Way & {
      readonly kind: 'condition';
      readonly unmet: readonly ConditionName[];
      readonly missing: readonly ContextField[];
    })
  /** This role would do; `endpoints` is how many it opens. */
  | { readonly kind: 'role'; readonly subject: string; readonly role: RoleName; readonly endpoints: number };

export type Explanation =
  | { readonly outcome: 'allow'; readonly public: true }
  | { readonly outcome: 'allow'; readonly ways: readonly Way[] }
  | { readonly outcome: 'deny'; readonly subject: string; readonly misses: readonly Miss[] };

export type Asked = {
  readonly subjects: readonly (PrincipalId | CredentialId)[];
  readonly endpoint: EndpointId;
  readonly context: Partial<Context>;
};

/** How many roles that would do are named. */
const rolesNamedMax = 5;

export const explain = (organisation: Organisation, { subjects, endpoint, context }: Asked): Explanation => {
  if (findEndpoint(organisation, endpoint)?.public) return { outcome: 'allow', public: true };
  const ways: Way[] = [];
  for (const subject of subjects) {
    const near = [...waysOf(organisation, subject, endpoint)].map((way) => ({
      way,
      ...judge(way.conditions, context),
    }));
    const open = near.find(({ unmet, missing }) => unmet.length === 0 && missing.length === 0);
    if (open === undefined) {
      const conditions = near
        .sort((a, b) => a.unmet.length - b.unmet.length || a.missing.length - b.missing.length)
        .map(({ way, unmet, missing }) => ({ kind: 'condition', ...way, unmet, missing }) as const);
      return {
        outcome: 'deny',
        subject,
        misses: [...conditions, ...rolesFor(organisation, subject, endpoint)],
      };
    }
    ways.push(open.way);
  }
  return subjects.length === 0 ? { outcome: 'deny', subject: '', misses: [] } : { outcome: 'allow', ways };
};

/** Every grant that leads from the subject to the endpoint, were it not for conditions; the unconditional ones first. */
function* waysOf(organisation: Organisation, subject: SubjectId, endpoint: EndpointId): Generator<Way> {
  const found: Way[] = [];
  for (const { holder, group } of holders(organisation, subject))
    for (const grant of organisation.grantsOf(holder)) {
      const allows = organisation.roles.get(grant.role)?.allows.find((each) => reaches(organisation, each, endpoint));
      if (allows === undefined) continue;
      found.push({
        subject,
        grant: grant.id,
        fact: grant.issuedAt,
        by: grant.by,
        reason: grant.reason,
        role: grant.role,
        ...(group && { group }),
        allows,
        ...(grant.conditions && { conditions: grant.conditions }),
      });
    }
  yield* found.sort((a, b) => Object.keys(a.conditions ?? {}).length - Object.keys(b.conditions ?? {}).length);
}

function* holders(
  organisation: Organisation,
  subject: SubjectId,
): Generator<{ readonly holder: SubjectId; readonly group?: GroupId }> {
  yield { holder: subject };
  if (!/^(user|workload):/.test(subject)) return;
  for (const group of organisation.groups.around(subject as unknown as PrincipalId))
    yield { holder: `${group}#member` as SubjectId, group };
}

/** A role's access to a service includes the smaller ones, as gate.zed says. */
const covers: Readonly<Record<AccessClass, readonly AccessClass[]>> = {
  read: ['read'],
  write: ['read', 'write'],
  admin: ['read', 'write', 'admin'],
};

const reaches = (organisation: Organisation, allowance: Allowance, endpoint: EndpointId): boolean => {
  if ('endpoint' in allowance) return allowance.endpoint === endpoint;
  const found = organisation.services.get(allowance.service)?.endpoints.find(({ id }) => id === endpoint);
  return found !== undefined && found.opaque !== true && covers[allowance.access].includes(found.access);
};

/** The roles that would open the endpoint, the smallest first: whoever asks for access asks for the least. */
const rolesFor = (organisation: Organisation, subject: SubjectId, endpoint: EndpointId): Miss[] => {
  const held = new Set([...waysOf(organisation, subject, endpoint)].map(({ role }) => role));
  const all = [...organisation.services.values()].flatMap(({ endpoints }) => endpoints);
  return [...organisation.roles]
    .filter(([role, { allows }]) => !held.has(role) && allows.some((each) => reaches(organisation, each, endpoint)))
    .map(([role, { allows }]) => ({
      kind: 'role' as const,
      subject,
      role,
      endpoints: all.filter(({ id }) => allows.some((each) => reaches(organisation, each, id))).length,
    }))
    .sort((a, b) => a.endpoints - b.endpoints || (a.role < b.role ? -1 : 1))
    .slice(0, rolesNamedMax);
};

export const findEndpoint = (organisation: Organisation, endpoint: EndpointId): Endpoint | undefined =>
  organisation.services.get(endpoint.slice(0, endpoint.indexOf('/')))?.endpoints.find(({ id }) => id === endpoint);
