/** Roles: defining one also settles who holds it by birthright, in the same append. */
import { canonicalJson, type RoleRules, type SchemaText } from '@postern/schemas';
import { settleBirthrights } from './birthrights.ts';
import type { Decided, Decider } from './command.ts';
import { because, draft, facts, nothing, refused } from './drafts.ts';
import { schemaOf } from './objects.ts';

export const defineRole: Decider<'define-role'> = (command, organisation, at) =>
  defineRoleUnder(organisation.schema === undefined ? undefined : schemaOf(organisation))(command, organisation, at);

/** Held to `schema`: the one that is live, or the one that is published in the same append. */
export const defineRoleUnder =
  (schema: SchemaText | undefined): Decider<'define-role'> =>
  ({ role, rules, reason, provenance }, organisation, at) => {
    const before = organisation.roles.get(role);
    // Of a role that many hold by birthright, the grants may still be owed: whoever repeats it gets the rest.
    if (before && canonicalJson(before) === canonicalJson(rules))
      return rules.birthright === undefined ? nothing : facts(...settleBirthrights(organisation, role, rules, at));
    const refusal = unknownObjects(schema, rules);
    if (refusal) return refusal;
    return facts(
      before
        ? draft(
            'postern.role.changed.v1',
            `role:${role}`,
            { role, before, rules, ...because(reason), ...provenance },
            at,
          )
        : draft('postern.role.defined.v1', `role:${role}`, { role, rules, ...because(reason), ...provenance }, at),
      ...settleBirthrights(organisation, role, rules, at),
    );
  };

export const retireRole: Decider<'retire-role'> = ({ role, reason, provenance }, organisation, at) => {
  if (!organisation.roles.has(role))
    return refused('grants/unknown-role', { detail: `the role ${role} is not defined` });
  return facts(draft('postern.role.retired.v1', `role:${role}`, { role, ...because(reason), ...provenance }, at));
};

/** A role may open objects only where the published schema has such a permission, and a place for what roles allow on objects. */
const unknownObjects = (schema: SchemaText | undefined, { allows }: RoleRules): Decided | undefined => {
  if (schema === undefined) return undefined;
  for (const allowance of allows) {
    if (!('object' in allowance)) continue;
    const { object, permission } = allowance;
    const type = object.slice(0, object.indexOf(':'));
    if (schema.definitions.get('object_permission')?.relations.has('holder') !== true)
      return refused('grants/unknown-relation', {
        detail: 'the published schema has no definition object_permission, which holds what roles allow on objects',
        fix: 'Copy it from gate.zed.',
      });
    const definition = schema.definitions.get(type);
    if (definition?.permissions.has(permission) !== true && definition?.relations.has(permission) !== true)
      return refused('grants/unknown-relation', {
        detail: `the role allows ${permission} on ${object}, which the published schema does not know`,
        fix: `Define the permission ${permission} on ${type}, or correct the role.`,
      });
  }
  return undefined;
};
