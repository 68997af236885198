/**
 * The attributes of Users and Groups as this service provider has them (RFC 7643 §4, §7). Left out on purpose: `password` and
 * `x509Certificates` (credentials are the issuers' matter), `roles` and `entitlements` (access is given by grants, and an
 * attribute of that name would look as if it gave any). What is not defined is ignored, as RFC 7643 §2.2 allows.
 */
import type { ProfileKind } from '@postern/profiles';

export type Attribute = {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'complex' | 'reference' | 'dateTime';
  readonly multiValued: boolean;
  readonly description: string;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable';
  readonly returned: 'always' | 'default';
  readonly uniqueness: 'none' | 'server';
  readonly canonicalValues?: readonly string[];
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly Attribute[];
};

type More = Partial<Omit<Attribute, 'name' | 'description' | 'type'>>;

const attribute = (name: string, type: Attribute['type'], description: string, more: More = {}): Attribute => ({
  name,
  type,
  multiValued: false,
  description,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
});
const text = (name: string, description: string, more?: More) => attribute(name, 'string', description, more);
const complex = (name: string, description: string, subAttributes: readonly Attribute[], more?: More) =>
  attribute(name, 'complex', description, { ...more, subAttributes });
const link = (name: string, description: string, referenceTypes: readonly string[], more?: More) =>
  attribute(name, 'reference', description, { caseExact: true, referenceTypes, ...more });
/** A list of values with a type, of which one is the primary one. */
const list = (
  name: string,
  what: string,
  kinds: readonly string[],
  value: readonly Attribute[] = [text('value', what)],
) =>
  complex(
    name,
    `${what}, several of them`,
    [
      ...value,
      ...(value.some((each) => each.name === 'formatted') ? [] : [text('display', 'How it is shown')]),
      text('type', 'What it is for', { canonicalValues: kinds }),
      attribute('primary', 'boolean', 'Whether it is the one to use; at most one is'),
    ],
    { multiValued: true },
  );

export const coreUrn = (kind: ProfileKind): string => `urn:ietf:params:scim:schemas:core:2.0:${kind}`;
export const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

export type Definition = {
  readonly urn: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
};

const user: Definition = {
  urn: coreUrn('User'),
  name: 'User',
  description: 'A person or a machine: a principal',
  attributes: [
    text('userName', 'What the person signs in with; unique, and not what the person is known by here', {
      required: true,
      uniqueness: 'server',
    }),
    complex('name', 'The person’s name, whole and in parts', [
      text('formatted', 'The whole name'),
      text('familyName', 'The family name'),
      text('givenName', 'The given name'),
      text('middleName', 'Middle names'),
      text('honorificPrefix', 'What stands before the name'),
      text('honorificSuffix', 'What stands behind the name'),
    ]),
    text('displayName', 'How the person is shown'),
    text('nickName', 'How the person is addressed'),
    link('profileUrl', 'A page about the person', ['external']),
    text('title', 'The job title; a birthright may ask for it'),
    text('userType', 'The relationship with the organisation, as employmentType; a birthright may ask for it'),
    text('preferredLanguage', 'The language, as in Accept-Language'),
    text('locale', 'Where numbers and dates are written so'),
    text('timezone', 'The time zone, such as Europe/Berlin'),
    attribute('active', 'boolean', 'Whether the person has any access: false is “left”, true again is “joined”'),
    list('emails', 'An e-mail address', ['work', 'home', 'other']),
    list('phoneNumbers', 'A telephone number', ['work', 'home', 'mobile', 'fax', 'pager', 'other']),
    list('ims', 'An address for messages', ['aim', 'gtalk', 'icq', 'xmpp', 'msn', 'skype', 'qq', 'yahoo']),
    list('photos', 'A photo', ['photo', 'thumbnail'], [link('value', 'Where the photo is', ['external'])]),
    list(
      'addresses',
      'A postal address; the locality of the one of type work is the location',
      ['work', 'home', 'other'],
      [
        text('formatted', 'The whole address'),
        text('streetAddress', 'Street and house'),
        text('locality', 'The town'),
        text('region', 'The region'),
        text('postalCode', 'The postal code'),
        text('country', 'The country, ISO 3166-1 alpha-2'),
      ],
    ),
    complex(
      'groups',
      'The groups that the person is in',
      [
        text('value', 'The id of the Group', { mutability: 'readOnly', caseExact: true }),
        link('$ref', 'Where the Group is', ['Group'], { mutability: 'readOnly' }),
        text('display', 'How the Group is shown', { mutability: 'readOnly' }),
        text('type', 'direct, or indirect through another group', {
          mutability: 'readOnly',
          canonicalValues: ['direct', 'indirect'],
        }),
      ],
      { multiValued: true, mutability: 'readOnly' },
    ),
  ],
};

const enterprise: Definition = {
  urn: enterpriseUrn,
  name: 'EnterpriseUser',
  description: 'What an organisation knows of its people',
  attributes: [
    text('employeeNumber', 'The number in the personnel files'),
    text('costCenter', 'The cost centre; a birthright may ask for it'),
    text('organization', 'The organisation'),
    text('division', 'The division'),
    text('department', 'The department; a birthright may ask for it'),
    complex('manager', 'The manager; rules of approval ask for it', [
      text('value', 'The id of the manager’s User', { caseExact: true }),
      link('$ref', 'Where the manager’s User is', ['User']),
      text('displayName', 'The manager’s name', { mutability: 'readOnly' }),
    ]),
  ],
};

const group: Definition = {
  urn: coreUrn('Group'),
  name: 'Group',
  description: 'A group: whoever is in it holds what is granted to it',
  attributes: [
    text('displayName', 'How the group is shown', { required: true }),
    complex(
      'members',
      'Who is in the group',
      [
        text('value', 'The id of a User or a Group', { mutability: 'immutable', caseExact: true }),
        link('$ref', 'Where the member is', ['User', 'Group'], { mutability: 'immutable' }),
        text('display', 'How the member is shown', { mutability: 'readOnly' }),
        text('type', 'User or Group', { mutability: 'immutable', canonicalValues: ['User', 'Group'] }),
      ],
      { multiValued: true },
    ),
  ],
};

/** What every resource has (RFC 7643 §3.1); these stand in no schema. */
export const commonAttributes: readonly Attribute[] = [
  link('schemas', 'The schemas of the resource', [], { multiValued: true, returned: 'always', mutability: 'readOnly' }),
  text('id', 'The id', { caseExact: true, mutability: 'readOnly', returned: 'always', uniqueness: 'server' }),
  text('externalId', 'The id in the client’s own system', { caseExact: true }),
  complex(
    'meta',
    'About the resource itself',
    [
      text('resourceType', 'User or Group', { caseExact: true }),
      attribute('created', 'dateTime', 'When it was made'),
      attribute('lastModified', 'dateTime', 'When it was changed last'),
      link('location', 'Where it is', []),
      text('version', 'Its entity tag', { caseExact: true }),
    ],
    { mutability: 'readOnly' },
  ),
];

export const definitions: readonly Definition[] = [user, group, enterprise];
export const definitionOf = (
  kind: ProfileKind,
): { readonly core: Definition; readonly extensions: readonly Definition[] } =>
  kind === 'User' ? { core: user, extensions: [enterprise] } : { core: group, extensions: [] };

export const named = (attributes: readonly Attribute[], name: string): Attribute | undefined => {
  const lower = name.toLowerCase();
  return attributes.find((each) => each.name.toLowerCase() === lower);
};
