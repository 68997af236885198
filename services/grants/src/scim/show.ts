/** A resource as it is answered: what the client wrote of it, and what the facts say. Where both speak, the facts are right. */
import { createHash } from 'node:crypto';
import type { Profile, ProfileKind } from '@postern/profiles';
import type { GroupId, Organisation, PrincipalId } from '@postern/schemas';
import { coreUrn, enterpriseUrn } from './definitions.ts';
import { refuse } from './failures.ts';
import { memberKey } from './members.ts';
import { asObject, type Place, placeOf } from './paths.ts';
import { principalOf } from './people.ts';
import { type Document, inside } from './read.ts';

export type Shown = Readonly<Record<string, unknown>> & { readonly id: string };

/** `base`: where the service provider is, such as https://gate/.postern/scim/v2. Without a tag, where nobody looks at it, since it costs. */
export const shown = (
  profile: Profile,
  organisation: Organisation,
  base: string,
  { tagged = true }: { readonly tagged?: boolean } = {},
): Shown => {
  const { kind, id, document } = profile;
  const written = JSON.parse(document) as Document;
  const body =
    kind === 'User' ? userBody(profile, written, organisation, base) : groupBody(id, written, organisation, base);
  const extended = asObject(body[enterpriseUrn]) !== undefined;
  const location = locationOf(profile, base);
  return {
    schemas: [coreUrn(kind), ...(extended ? [enterpriseUrn] : [])],
    id,
    ...body,
    meta: {
      resourceType: kind,
      created: new Date(profile.createdAtMs).toISOString(),
      lastModified: new Date(profile.modifiedAtMs).toISOString(),
      location,
      ...(tagged && { version: tagOf(body) }),
    },
  };
};

export const locationOf = ({ kind, id }: Pick<Profile, 'kind' | 'id'>, base: string): string =>
  `${base}/${kind}s/${encodeURIComponent(id)}`;

/** Weak, since the same is not always written octet for octet the same. */
const tagOf = (body: Document): string =>
  `W/"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 22)}"`;

const userBody = (
  { id, writtenAt }: Profile,
  written: Document,
  organisation: Organisation,
  base: string,
): Document => {
  const principal = principalOf(id);
  const known = organisation.principals.get(principal);
  const active = known?.state === 'active';
  const groups = groupsOf(principal, organisation, base);
  // A client may have taken `active` away; that somebody left since is said all the same.
  const said = written['active'] !== undefined || (!active && (known?.since ?? 0) > writtenAt);
  const body: Document = { ...written, ...(said && { active }), ...(groups.length > 0 && { groups }) };
  const enterprise: Document = { ...asObject(written[enterpriseUrn]) };
  if (active) {
    // Another feed may have moved the person since.
    const { title, employmentType, department, costCenter, manager } = known.attributes;
    set(body, 'title', title);
    set(body, 'userType', employmentType);
    set(enterprise, 'department', department);
    set(enterprise, 'costCenter', costCenter);
    const value = manager === undefined ? undefined : memberKey(manager);
    set(enterprise, 'manager', value === undefined ? undefined : { ...asObject(enterprise['manager']), value });
  }
  const value = asObject(enterprise['manager'])?.['value'];
  if (typeof value === 'string')
    enterprise['manager'] = {
      ...asObject(enterprise['manager']),
      $ref: locationOf({ kind: 'User', id: value }, base),
    };
  set(body, enterpriseUrn, Object.keys(enterprise).length === 0 ? undefined : enterprise);
  return body;
};

const set = (holder: Document, name: string, value: unknown): void => {
  if (value === undefined) delete holder[name];
  else holder[name] = value;
};

const groupsOf = (principal: PrincipalId, organisation: Organisation, base: string): Document[] => {
  const direct = organisation.groups.above(principal);
  return [...organisation.groups.around(principal)].sort().map((group) => ({
    value: memberKey(group),
    $ref: locationOf({ kind: 'Group', id: memberKey(group) }, base),
    type: direct.has(group) ? 'direct' : 'indirect',
  }));
};

const groupBody = (id: string, written: Document, organisation: Organisation, base: string): Document => {
  const members = [...organisation.groups.direct(`group:${id}` as GroupId)].sort().flatMap((member) => {
    if (member.startsWith('workload:')) return [];
    const kind = member.startsWith('group:') ? 'Group' : 'User';
    const value = memberKey(member);
    return [{ value, $ref: locationOf({ kind, id: value }, base), type: kind }];
  });
  return { ...written, ...(members.length > 0 && { members }) };
};

/** Which attributes are answered (RFC 7644 §3.9). Names that mean nothing are passed over. */
export type Selection = { readonly attributes?: readonly string[]; readonly excludedAttributes?: readonly string[] };

/** Throws `grants/scim-invalid` where both are asked for. */
export const select = (kind: ProfileKind, resource: Shown, { attributes, excludedAttributes }: Selection): Document => {
  if (attributes !== undefined && excludedAttributes !== undefined)
    throw refuse('invalidValue', 'attributes and excludedAttributes exclude each other');
  if (attributes === undefined && excludedAttributes === undefined) return { ...resource };
  const places = (attributes ?? excludedAttributes ?? []).flatMap((path) => placeOf(kind, path) ?? []);
  return attributes === undefined ? without(resource, places) : only(resource, places);
};

const only = (resource: Shown, places: readonly Place[]): Document => {
  const kept: Document = { schemas: resource['schemas'], id: resource.id };
  for (const place of places) {
    const { extension, attribute, sub } = place;
    const from = extension === undefined ? resource : asObject(resource[extension]);
    if (from === undefined) continue;
    const to = extension === undefined ? kept : inside(kept, extension);
    if (attribute === undefined) Object.assign(to, from);
    else if (from[attribute.name] !== undefined)
      to[attribute.name] =
        sub === undefined
          ? from[attribute.name]
          : narrowed(from[attribute.name], to[attribute.name], (each) => ({ [sub.name]: each[sub.name] }));
  }
  return kept;
};

const without = (resource: Shown, places: readonly Place[]): Document => {
  const kept: Document = { ...resource };
  for (const { extension, attribute, sub } of places) {
    if (attribute?.returned === 'always') continue;
    const holder = extension === undefined ? kept : { ...asObject(kept[extension]) };
    if (extension !== undefined) kept[extension] = holder;
    if (attribute === undefined) {
      if (extension !== undefined) delete kept[extension];
    } else if (sub === undefined) delete holder[attribute.name];
    else if (holder[attribute.name] !== undefined)
      holder[attribute.name] = narrowed(holder[attribute.name], undefined, ({ [sub.name]: _, ...rest }) => rest);
  }
  return kept;
};

const narrowed = (value: unknown, before: unknown, keep: (each: Document) => Document): unknown =>
  Array.isArray(value)
    ? value.map((each: Document, at) => ({ ...(before as Document[] | undefined)?.[at], ...keep(each) }))
    : { ...asObject(before), ...keep(asObject(value) ?? {}) };
