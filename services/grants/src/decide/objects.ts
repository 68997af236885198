/**
 * Relationships of the engineers' own objects: only such as the published schema knows, and only with subjects that are there. Where the
 * source says for when, the later of two claims stands, and a person or group that is not here yet is waited for.
 */
import {
  type CredentialId,
  type GroupId,
  gateTypes,
  type Member,
  type Organisation,
  PrincipalId,
  type RoleName,
  readSchemaText,
  type SchemaText,
  splitSubject,
  stands,
  unknownRelation,
} from '@postern/schemas';
import type { Command, Decided, Decider } from './command.ts';
import { because, draft, facts, nothing, refused } from './drafts.ts';
import { isHere, isOver, whenOf } from './edges-in-time.ts';

type Relation = Extract<Command, { kind: 'relate-object' | 'unrelate-object' }>;
const edgeOf = ({ object, relation, subject }: Relation) => ({ resource: object, relation, subject });

export const relateObject: Decider<'relate-object'> = (command, organisation, at) => {
  const { object, relation, subject, reason } = command;
  const unknown = notInSchema(organisation, command);
  if (unknown) return unknown;
  const when = whenOf(at);
  const member = memberOf(subject);
  if (when !== undefined && member !== undefined) {
    const before = organisation.objects.claimOf(edgeOf(command));
    if (!stands('in', when, before) || isOver(organisation, member, when)) return nothing;
    if (organisation.objects.has(edgeOf(command)) || !isHere(organisation, member))
      return facts(draft('postern.object.claimed.v1', object, { object, relation, subject, is: 'related' }, at));
  }
  const refusal = absent(organisation, subject);
  if (refusal) return refusal;
  if (when !== undefined && !stands('in', when, organisation.objects.claimOf(edgeOf(command)))) return nothing;
  if (organisation.objects.has(edgeOf(command))) return nothing;
  return facts(draft('postern.object.related.v1', object, { object, relation, subject, ...because(reason) }, at));
};

/** Whatever was related can be unrelated, known to the schema or not: taking away never waits for anything. */
export const unrelateObject: Decider<'unrelate-object'> = (command, organisation, at) => {
  const { object, relation, subject, reason } = command;
  const when = whenOf(at);
  if (when !== undefined) {
    if (!stands('out', when, organisation.objects.claimOf(edgeOf(command)))) return nothing;
    if (!organisation.objects.has(edgeOf(command)))
      return facts(draft('postern.object.claimed.v1', object, { object, relation, subject, is: 'unrelated' }, at));
  }
  if (!organisation.objects.has(edgeOf(command))) return nothing;
  return facts(draft('postern.object.unrelated.v1', object, { object, relation, subject, ...because(reason) }, at));
};

/** Who has to be here for the relation to hold; undefined where that is nobody who comes and goes by events. */
const memberOf = (subject: string): Member | undefined => {
  const principal = PrincipalId.safeParse(subject);
  if (principal.success) return principal.data;
  const { type, id, relation } = splitSubject(subject);
  return type === 'group' && relation === 'member' ? (`group:${id}` as GroupId) : undefined;
};

/** The text is large and seldom another: read once a publication. */
const read = new WeakMap<Organisation, { readonly text: string; readonly schema: SchemaText | undefined }>();
export const schemaOf = (organisation: Organisation): SchemaText | undefined => {
  const text = organisation.schema ?? '';
  const known = read.get(organisation);
  if (known?.text === text) return known.schema;
  const schema = readSchemaText(text);
  read.set(organisation, { text, schema });
  return schema;
};

const notInSchema = (organisation: Organisation, command: Relation): Decided | undefined => {
  const schema = schemaOf(organisation);
  // A schema that is not understood here is the engine's to judge: what it does not know is set aside there.
  const why = schema && unknownRelation(schema, edgeOf(command));
  return why === undefined
    ? undefined
    : refused('grants/unknown-relation', { detail: why, fix: 'Publish a schema that has it, or correct the event.' });
};

const absent = (organisation: Organisation, subject: string): Decided | undefined => {
  const { type, id, relation } = splitSubject(subject);
  const name = `${type}:${id}`;
  switch (type) {
    case 'user':
    case 'workload':
      return relation === undefined && organisation.principals.get(name as PrincipalId)?.state === 'active'
        ? undefined
        : refused('grants/unknown-principal', {
            detail: `${subject} has not joined, or has left`,
            fix: 'Send a postern.person.joined.v1 event for it first.',
          });
    case 'group':
      return relation === 'member' && organisation.groups.has(name as GroupId)
        ? undefined
        : refused('grants/unknown-group', { detail: `${subject} names no members of a group that exists` });
    case 'credential':
      return relation === undefined && organisation.credentials.has(name as CredentialId)
        ? undefined
        : refused('grants/unknown-credential', { detail: `${subject} is not live` });
    case 'role':
      return relation === 'holder' && organisation.roles.has(id as RoleName)
        ? undefined
        : refused('grants/unknown-role', { detail: `${subject} names no holders of a role that is defined` });
    default:
      return gateTypes.has(type)
        ? refused('grants/unknown-relation', { detail: `${type} stands in no relation of an object` })
        : undefined;
  }
};
