/**
 * Names of things, as they stand in facts, in the graph and in the log. Every id is branded: only parsing mints one.
 *
 * SpiceDB ids are `[a-zA-Z0-9/_|\-=+]{1,1024}`, the outside world's ids are free text. {@link encodeId} maps one onto the
 * other reversibly, so that two different outside names never become one name in the graph.
 */
import { z } from 'zod';

const plain = /^[A-Za-z0-9/_|+-]$/;
const idText = '[A-Za-z0-9/_|+=-]{1,512}';

/**
 * Turns any outside id into a graph id: octets outside `[A-Za-z0-9/_|+-]` become `=XX` (upper-case hex of the UTF-8 octet).
 * Injective; `decodeId` is its inverse. Throws RangeError on an id that is empty, is not in Unicode form NFC (two spellings
 * of one name are two subjects, so only one spelling is taken) or holds an unpaired surrogate.
 */
export const encodeId = (raw: string): string => {
  if (raw === '') throw new RangeError('an id is empty');
  if (raw.normalize('NFC') !== raw || !raw.isWellFormed())
    throw new RangeError(`the id ${JSON.stringify(raw)} is not in Unicode form NFC`);
  let encoded = '';
  for (const octet of new TextEncoder().encode(raw)) {
    const character = String.fromCharCode(octet);
    encoded += plain.test(character) ? character : `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  if (encoded.length > 512) throw new RangeError('an id is longer than 512 characters once encoded');
  return encoded;
};

/** The inverse of {@link encodeId}; throws RangeError on text that `encodeId` never makes. */
export const decodeId = (id: string): string => {
  const octets: number[] = [];
  for (let at = 0; at < id.length; at++) {
    if (id[at] !== '=') octets.push(id.charCodeAt(at));
    else {
      const hex = id.slice(at + 1, at + 3);
      if (!/^[0-9A-F]{2}$/.test(hex)) throw new RangeError(`"${id}" holds "=" without two hex digits behind it`);
      octets.push(Number.parseInt(hex, 16));
      at += 2;
    }
  }
  const raw = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(octets));
  if (encodeId(raw) !== id) throw new RangeError(`"${id}" is not the canonical spelling of ${JSON.stringify(raw)}`);
  return raw;
};

/** A principal that can be authenticated: a person or a machine. */
export const PrincipalId = z
  .string()
  .regex(new RegExp(`^(user|workload):${idText}$`), 'write user:NAME or workload:NAME; encode other characters as =XX')
  .brand<'SubjectId'>()
  .brand<'PrincipalId'>();
export type PrincipalId = z.infer<typeof PrincipalId>;

export const GroupId = z
  .string()
  .regex(new RegExp(`^group:${idText}$`), 'write group:NAME')
  .brand<'GroupId'>();
export type GroupId = z.infer<typeof GroupId>;

/** An API key or a delegated token: narrower than its owner, never wider. */
export const CredentialId = z
  .string()
  .regex(new RegExp(`^credential:${idText}$`), 'write credential:ID')
  .brand<'SubjectId'>()
  .brand<'CredentialId'>();
export type CredentialId = z.infer<typeof CredentialId>;

/** Whoever can hold a role: `user:alice`, `workload:ci`, `credential:k1`, `group:hr#member`. */
export const SubjectId = z
  .string()
  .regex(
    new RegExp(`^((user|workload|credential):${idText}|group:${idText}#member)$`),
    'write user:NAME, workload:NAME, credential:ID or group:NAME#member; encode other characters as =XX',
  )
  .brand<'SubjectId'>();
export type SubjectId = z.infer<typeof SubjectId>;

/** Schema names follow SpiceDB's rule for relation names: three letters or more. */
export const RoleName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{1,62}[a-z0-9]$/, 'a role name is 3 to 64 of a-z, 0-9, _ and -, beginning with a letter')
  .brand<'RoleName'>();
export type RoleName = z.infer<typeof RoleName>;

export const ServiceName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{1,62}[a-z0-9]$/, 'a service name is 3 to 64 of a-z, 0-9, _ and -, beginning with a letter')
  .brand<'ServiceName'>();
export type ServiceName = z.infer<typeof ServiceName>;

/** `service/operationId`, or `service/METHOD-template` where the API names no operation. */
export const EndpointId = z
  .string()
  .regex(new RegExp(`^[a-z][a-z0-9_-]+/${idText}$`))
  .brand<'EndpointId'>();
export type EndpointId = z.infer<typeof EndpointId>;

/** A grant's id: the UUIDv7 of the fact that issued it. */
export const GrantId = z
  .string()
  .regex(/^[0-9a-f-]{36}$/, 'a grant id is the UUID that its grant.issued fact carries')
  .brand<'GrantId'>();
export type GrantId = z.infer<typeof GrantId>;

/** An identifier that the fact which began the thing gave it: a UUIDv7. */
const begun = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'an id here is the UUID that was answered');
/** A request for a role. */
export const RequestId = begun.brand<'RequestId'>();
export type RequestId = z.infer<typeof RequestId>;
/** One use of break-glass. */
export const BreakGlassId = begun.brand<'BreakGlassId'>();
export type BreakGlassId = z.infer<typeof BreakGlassId>;
/** A campaign in which access is reviewed. */
export const ReviewId = begun.brand<'ReviewId'>();
export type ReviewId = z.infer<typeof ReviewId>;

/** A legal hold. */
export const HoldId = begun.brand<'HoldId'>();
export type HoldId = z.infer<typeof HoldId>;

/** Names of object types, relations and permissions in the schema (SpiceDB's rule). */
export const SchemaName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{1,62}[a-z0-9]$/,
    'a name in the schema is 3 to 64 of a-z, 0-9 and _, beginning with a letter',
  );

/** Types whose relationships follow from facts of their own; nobody may write one as a fact about an object. */
export const gateTypes: ReadonlySet<string> = new Set([
  'user',
  'workload',
  'group',
  'credential',
  'role',
  'service',
  'endpoint',
  'object_permission',
  'sequence',
  'projection',
]);

const typeText = '[a-z][a-z0-9_]{1,62}[a-z0-9]';

/** An object of an engineers' own type: `employee:42`. */
export const ObjectId = z
  .string()
  .regex(
    new RegExp(`^${typeText}:${idText}$`),
    'write TYPE:ID, for instance employee:42; encode other characters as =XX',
  )
  .refine(
    (object) => !gateTypes.has(object.slice(0, object.indexOf(':'))),
    'objects of this type follow from facts of their own',
  )
  .brand<'ObjectId'>();
export type ObjectId = z.infer<typeof ObjectId>;

/** Whoever can stand in a relation of an object: a subject, `role:NAME#holder`, another object, or a relation of one. */
export const ObjectSubject = z
  .string()
  .regex(
    new RegExp(`^${typeText}:${idText}(#${typeText})?$`),
    'write TYPE:ID or TYPE:ID#RELATION, for instance user:bob, group:hr#member or department:sales',
  )
  .brand<'ObjectSubject'>();
export type ObjectSubject = z.infer<typeof ObjectSubject>;

/** Place in the facts log: 1 for the first fact; 0 is "before any fact". */
export const Sequence = z.number().int().nonnegative().brand<'Sequence'>();
export type Sequence = z.infer<typeof Sequence>;
export const beginning = 0 as Sequence;
export const next = (sequence: Sequence, by = 1): Sequence => (sequence + by) as Sequence;

/** "user:alice" → { type: "user", id: "alice" }; the id may itself hold no colon, so the first one divides. */
export const splitSubject = (subject: string): { type: string; id: string; relation?: string } => {
  const colon = subject.indexOf(':');
  const hash = subject.indexOf('#', colon);
  return hash < 0
    ? { type: subject.slice(0, colon), id: subject.slice(colon + 1) }
    : { type: subject.slice(0, colon), id: subject.slice(colon + 1, hash), relation: subject.slice(hash + 1) };
};
