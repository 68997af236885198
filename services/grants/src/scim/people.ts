/** What a User or a Group is here: which principal or group for ever, and which attributes roles may look at. */
import type { ProfileKind } from '@postern/profiles';
import { Attributes, encodeId, GroupId, PrincipalId } from '@postern/schemas';
import { v7 } from 'uuid';
import { enterpriseUrn } from './definitions.ts';
import { refuse } from './failures.ts';
import { asObject } from './paths.ts';
import type { Document } from './read.ts';

export type ScimConfig = {
  readonly principal: 'externalId' | 'userName';
  readonly group: 'externalId' | 'displayName';
};

/** Throws `grants/scim-invalid` where the id was never given here. */
export const principalOf = (id: string): PrincipalId => {
  const parsed = PrincipalId.safeParse(`user:${id}`);
  if (!parsed.success) throw refuse('invalidValue', `${id} is the id of no User`);
  return parsed.data;
};
export const groupOf = (id: string): GroupId => {
  const parsed = GroupId.safeParse(`group:${id}`);
  if (!parsed.success) throw refuse('invalidValue', `${id} is the id of no Group`);
  return parsed.data;
};

/**
 * The id of a new resource, which is its principal's or group's name as well and never changes. An e-mail address is refused: it
 * passes from one person to another, and it would stand in the record for ever. `made`: nothing named it, so it is made up.
 */
export const newId = (
  kind: ProfileKind,
  document: Document,
  config: ScimConfig,
  nowMs: number,
): { readonly id: string; readonly made: boolean } => {
  const name = kind === 'User' ? config.principal : config.group;
  const value = document[name];
  if (typeof value !== 'string') return { id: v7({ msecs: nowMs }), made: true };
  if (kind === 'User' && value.includes('@'))
    throw refuse(
      'invalidValue',
      `${name} is what the ${kind} is known by for ever, and an e-mail address is not: map an id that never passes to another person`,
    );
  try {
    return { id: encodeId(value), made: false };
  } catch (error) {
    throw refuse('invalidValue', `${name}: ${error instanceof Error ? error.message : error}`);
  }
};

/** What of a User becomes a fact. Throws `grants/scim-invalid`. */
export const attributesOf = (document: Document): Attributes => {
  const enterprise = asObject(document[enterpriseUrn]) ?? {};
  const addresses = (document['addresses'] ?? []) as Document[];
  const work = addresses.find((each) => String(each['type']).toLowerCase() === 'work');
  const manager = asObject(enterprise['manager'])?.['value'];
  const found = Attributes.safeParse({
    ...given('department', enterprise['department']),
    ...given('title', document['title']),
    ...given('location', work?.['locality']),
    ...given('costCenter', enterprise['costCenter']),
    ...given('employmentType', document['userType']),
    ...(typeof manager === 'string' && { manager: principalOf(manager) }),
  });
  if (found.success) return found.data;
  throw refuse(
    'invalidValue',
    found.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  );
};

const given = (name: string, value: unknown): Document => (value === undefined ? {} : { [name]: value });
