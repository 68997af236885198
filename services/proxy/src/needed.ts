/** What a refused caller lacks, as far as the facts say: roles for the endpoint, or, where they hold one, what would open the object. */
import {
  type EndpointId,
  type Organisation,
  objectText,
  opensEndpoint,
  opensObject,
  type PrincipalId,
  type Question,
  type RoleName,
  type RoleRules,
  type SubjectId,
} from '@postern/schemas';
import { givingRelations, parseZed, type ZedSchema } from '@postern/schemas/zed';

export type MissingOnObject = {
  /** `employee:42#view` */
  readonly object: string;
  /** The relations of the object that the permission rests on. */
  readonly relations: readonly string[];
  /** The roles that open it. */
  readonly roles: readonly string[];
};
export type Needed = { readonly needed?: readonly string[]; readonly missing?: readonly MissingOnObject[] };

export type NeededRoles = {
  /** Names of the roles that allow the endpoint, the one that allows the least first. */
  readonly for: (service: string, endpoint: EndpointId) => readonly string[];
  /** What a refusal of this question for want of a grant is about. */
  readonly of: (service: string, question: Pick<Question, 'subjects' | 'endpoint' | 'objects'>) => Needed;
  readonly forget: () => void;
};

export const neededRoles = (organisation: Organisation): NeededRoles => {
  const found = new Map<string, readonly string[]>();
  let schema: ZedSchema | undefined;
  const relationsOf = (resource: string, permission: string): readonly string[] => {
    schema ??= parseZed(organisation.schema ?? '');
    return givingRelations(schema, resource.slice(0, resource.indexOf(':')), permission);
  };
  const find = (serviceName: string, id: EndpointId): readonly string[] => {
    const endpoint = organisation.services.get(serviceName)?.endpoints.find((each) => each.id === id);
    if (endpoint === undefined) return [];
    const sized: { name: string; size: number }[] = [];
    for (const [name, rules] of organisation.roles) {
      const allows = rules.allows.some((allowance) => opensEndpoint(allowance, serviceName, endpoint));
      if (allows) sized.push({ name, size: sizeOf(rules, organisation) });
    }
    return sized.sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
  };
  const rolesFor = (service: string, endpoint: EndpointId): readonly string[] => {
    const known = found.get(endpoint);
    if (known !== undefined) return known;
    const needed = find(service, endpoint);
    found.set(endpoint, needed);
    return needed;
  };
  const allHold = (subjects: Question['subjects'], roles: readonly string[]): boolean =>
    subjects.every((subject) => {
      const held = rolesHeld(organisation, subject);
      return roles.some((role) => held.has(role));
    });
  return {
    for: rolesFor,
    of: (service, { subjects, endpoint, objects = [] }) => {
      const needed = rolesFor(service, endpoint);
      if (objects.length === 0 || !allHold(subjects, needed)) return { needed };
      const missing = objects
        .map((object) => ({
          object: objectText(object),
          relations: relationsOf(object.resource, object.permission),
          roles: [...organisation.roles].flatMap(([role, { allows }]) =>
            allows.some((allowance) => opensObject(allowance, object)) ? [role] : [],
          ),
        }))
        .filter(({ roles }) => !allHold(subjects, roles));
      return missing.length > 0 ? { missing } : { needed };
    },
    forget: () => {
      found.clear();
      schema = undefined;
    },
  };
};

/** The roles that somebody holds, whatever the conditions. */
const rolesHeld = (organisation: Organisation, subject: Question['subjects'][number]): ReadonlySet<string> => {
  const groups = subject.startsWith('credential:') ? [] : organisation.groups.around(subject as PrincipalId);
  const holders = [subject as SubjectId, ...[...groups].map((group) => `${group}#member` as SubjectId)];
  return new Set<RoleName>(holders.flatMap((holder) => organisation.grantsOf(holder).map(({ role }) => role)));
};

/** How many endpoints a role reaches. */
const sizeOf = ({ allows }: RoleRules, organisation: Organisation): number => {
  let size = 0;
  for (const allowance of allows)
    if ('endpoint' in allowance) size++;
    else if ('service' in allowance) {
      const { name = '', endpoints = [] } = organisation.services.get(allowance.service) ?? {};
      size += endpoints.filter((endpoint) => opensEndpoint(allowance, name, endpoint)).length;
    }
  return size;
};
