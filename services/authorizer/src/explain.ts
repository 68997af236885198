/**
 * Why: the way through the graph for an allow, the nearest misses for a deny. Read off the organisation, which knows what the
 * engine does not: which grant, which fact, by whom and what for.
 */
import {
  type Allowance,
  type Context,
  type ContextField,
  type CredentialId,
  type Endpoint,
  type EndpointId,
  type Grant,
  type GroupId,
  type ObjectQuestion,
  type Organisation,
  objectText,
  opensEndpoint,
  opensObject,
  type PrincipalId,
  type RoleName,
  type Sequence,
  type SubjectId,
} from '@postern/schemas';
import { type ConditionName, judge } from './conditions.ts';
import { type ObjectEdge, relationsOf, wayThroughObjects } from './object-ways.ts';

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
  /** What of the role reaches the endpoint or the object. */
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
  /** Neither a role of the subject nor a relationship of the object opens `employee:42#view`. */
  | {
      readonly kind: 'object';
      readonly subject: string;
      readonly object: string;
      /** The relations that it rests on, as the published schema has them. */
      readonly relations: readonly string[];
      /** Who stands in them now, and by which fact: the first few. */
      readonly there: readonly ObjectEdge[];
    }
  /** This role would do; `endpoints` is how many it opens. */
  | { readonly kind: 'role'; readonly subject: string; readonly role: RoleName; readonly endpoints: number };

/** An object that the subject reaches by relationships of objects: the chain of them, each with the fact that told it. */
export type ObjectWay = { readonly subject: string; readonly object: string; readonly through: readonly ObjectEdge[] };

export type Explanation =
  | { readonly outcome: 'allow'; readonly public: true }
  | { readonly outcome: 'allow'; readonly ways: readonly (Way | ObjectWay)[] }
  | { readonly outcome: 'deny'; readonly subject: string; readonly misses: readonly Miss[] };

export type Asked = {
  readonly subjects: readonly (PrincipalId | CredentialId)[];
  readonly endpoint: EndpointId;
  readonly objects?: readonly ObjectQuestion[];
  /** Does the subject hold it by relationships of the object alone? The engine's answer: what they mean stands in the schema. */
  readonly related?: (subject: string, object: ObjectQuestion) => boolean;
  readonly context: Partial<Context>;
};

/** What is asked of one subject: an endpoint, or an object. */
type Target = {
  readonly opens: (allowance: Allowance) => boolean;
  readonly object?: ObjectQuestion;
};

/** How many roles that would do are named. */
const rolesNamedMax = 5;
/** How many relationships of an object are named beside a refusal. */
const edgesNamedMax = 5;

export const explain = (organisation: Organisation, asked: Asked): Explanation => {
  const { subjects, endpoint, objects = [] } = asked;
  if (findEndpoint(organisation, endpoint)?.public) return { outcome: 'allow', public: true };
  const targets: Target[] = [
    { opens: (allowance) => reaches(organisation, allowance, endpoint) },
    ...objects.map((object) => ({ opens: (allowance: Allowance) => opensObject(allowance, object), object })),
  ];
  const ways: (Way | ObjectWay)[] = [];
  for (const subject of subjects)
    for (const target of targets) {
      const found = wayTo(organisation, subject, target, asked);
      if ('outcome' in found) return found;
      ways.push(found);
    }
  return subjects.length === 0 ? { outcome: 'deny', subject: '', misses: [] } : { outcome: 'allow', ways };
};

/** The first way that is open, or what came nearest. */
const wayTo = (
  organisation: Organisation,
  subject: SubjectId,
  target: Target,
  { context, related }: Asked,
): Way | ObjectWay | Extract<Explanation, { outcome: 'deny' }> => {
  const near = [...waysOf(organisation, subject, target)].map((way) => ({ way, ...judge(way.conditions, context) }));
  const open = near.find(({ unmet, missing }) => unmet.length === 0 && missing.length === 0);
  if (open !== undefined) return open.way;
  const { object } = target;
  if (object !== undefined && related?.(subject, object))
    return { subject, object: objectText(object), through: wayThroughObjects(organisation, subject, object) };
  const conditions = near
    .sort((a, b) => a.unmet.length - b.unmet.length || a.missing.length - b.missing.length)
    .map(({ way, unmet, missing }) => ({ kind: 'condition', ...way, unmet, missing }) as const);
  const misses: Miss[] = [
    ...conditions,
    ...(object === undefined ? [] : [objectMiss(organisation, subject, object)]),
    ...rolesFor(organisation, subject, target),
  ];
  return { outcome: 'deny', subject, misses };
};

/** Every way from the subject to the endpoint, whatever the conditions on it. */
export const waysToEndpoint = (organisation: Organisation, subject: SubjectId, endpoint: EndpointId): Way[] => [
  ...waysOf(organisation, subject, { opens: (allowance) => reaches(organisation, allowance, endpoint) }),
];

const objectMiss = (organisation: Organisation, subject: string, object: ObjectQuestion): Miss => {
  const relations = relationsOf(organisation, object);
  const there = organisation.objects
    .on(object.resource)
    .filter(({ relation }) => relations.some((each) => each === relation || each.startsWith(`${relation}->`)))
    .slice(0, edgesNamedMax)
    .map((edge) => ({ ...edge, ...organisation.objects.sourceOf(edge) }));
  return { kind: 'object', subject, object: objectText(object), relations, there };
};

/** Every grant that leads from the subject to the target, were it not for conditions; the unconditional ones first. */
function* waysOf(organisation: Organisation, subject: SubjectId, { opens }: Target): Generator<Way> {
  const found: Way[] = [];
  for (const { holder, group } of holders(organisation, subject))
    for (const grant of organisation.grantsOf(holder)) {
      const allows = organisation.roles.get(grant.role)?.allows.find(opens);
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

const reaches = (organisation: Organisation, allowance: Allowance, endpoint: EndpointId): boolean => {
  const found = findEndpoint(organisation, endpoint);
  if (found === undefined) return 'endpoint' in allowance && allowance.endpoint === endpoint;
  return opensEndpoint(allowance, endpoint.slice(0, endpoint.indexOf('/')), found);
};

/** The roles that would open the target, the smallest first: whoever asks for access asks for the least. */
const rolesFor = (organisation: Organisation, subject: SubjectId, target: Target): Miss[] => {
  const held = new Set([...waysOf(organisation, subject, target)].map(({ role }) => role));
  const all = [...organisation.services.values()].flatMap(({ endpoints }) => endpoints);
  return [...organisation.roles]
    .filter(([role, { allows }]) => !held.has(role) && allows.some(target.opens))
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
