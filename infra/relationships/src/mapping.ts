/**
 * Between our words and SpiceDB's: zookie and ZedToken, relationship and proto, context and Struct. The only file that knows both.
 */
import { v1 } from '@authzed/authzed-node';
import {
  type Conditions,
  type ContextField,
  canonicalJson,
  contextFields,
  type Relationship,
  type RelationshipUpdate,
  Sequence,
  splitSubject,
} from '@postern/schemas';
import type { CheckContext, CheckItem, Place, Reached, Verdict, Zookie } from './port.ts';

/** An engine that has told no token yet (nothing was ever written) is asked fully consistently. */
export const noZookie = '' as Zookie;
export const toZookie = (token: v1.ZedToken | undefined): Zookie => (token?.token ?? '') as Zookie;

const fully = v1.Consistency.create({ requirement: { oneofKind: 'fullyConsistent', fullyConsistent: true } });
export const consistency = (zookie: Zookie | undefined): v1.Consistency =>
  zookie === undefined || zookie === noZookie
    ? fully
    : v1.Consistency.create({ requirement: { oneofKind: 'atLeastAsFresh', atLeastAsFresh: { token: zookie } } });
export const exactly = (zookie: Zookie): v1.Consistency =>
  zookie === noZookie
    ? fully
    : v1.Consistency.create({ requirement: { oneofKind: 'atExactSnapshot', atExactSnapshot: { token: zookie } } });

export const toObject = (text: string): v1.ObjectReference => {
  const { type, id } = splitSubject(text);
  return v1.ObjectReference.create({ objectType: type, objectId: id });
};
export const toSubject = (text: string): v1.SubjectReference => {
  const { type, id, relation } = splitSubject(text);
  return v1.SubjectReference.create({ object: { objectType: type, objectId: id }, optionalRelation: relation ?? '' });
};
const objectText = (object: v1.ObjectReference | undefined): string => `${object?.objectType}:${object?.objectId}`;

export const caveatName = 'holds';

export const toProto = ({ resource, relation, subject, anyOf, caveat }: Relationship): v1.Relationship =>
  v1.Relationship.create({
    resource: toObject(resource),
    relation,
    subject: toSubject(subject),
    ...(caveat && { optionalCaveat: { caveatName: caveat.name, context: toStruct(caveat.context ?? {}) } }),
    ...(anyOf && { optionalCaveat: { caveatName, context: toStruct({ any_of: anyOf }) } }),
  });

/**
 * The engine gives keys and alternatives back as its Struct holds them; alternatives come out in canonical order, so that what was
 * written and what is read compare by text.
 */
export const fromProto = (proto: v1.Relationship): Relationship => {
  const subject = objectText(proto.subject?.object);
  const relation = proto.subject?.optionalRelation;
  const edge = {
    resource: objectText(proto.resource),
    relation: proto.relation,
    subject: relation ? `${subject}#${relation}` : subject,
  };
  const caveat = proto.optionalCaveat;
  if (!caveat) return edge;
  const context = (caveat.context ? v1.PbStruct.toJson(caveat.context) : {}) as Record<string, unknown>;
  if (caveat.caveatName !== caveatName) return { ...edge, caveat: { name: caveat.caveatName, context } };
  return { ...edge, anyOf: [...((context['any_of'] ?? []) as Conditions[])].sort(byText) };
};
const byText = (a: Conditions, b: Conditions): number => (canonicalJson(a) < canonicalJson(b) ? -1 : 1);

export const toUpdate = ({ operation, relationship }: RelationshipUpdate): v1.RelationshipUpdate =>
  v1.RelationshipUpdate.create({
    operation: operation === 'touch' ? v1.RelationshipUpdate_Operation.TOUCH : v1.RelationshipUpdate_Operation.DELETE,
    // A delete goes by the key alone: the engine ignores a caveat there.
    relationship: toProto(relationship),
  });

export const toStruct = (value: object): v1.PbStruct => v1.PbStruct.fromJson(JSON.parse(JSON.stringify(value)));

/**
 * An IPv4 address written inside IPv6 (`::ffff:10.1.2.3`, `::ffff:a01:203`) is the IPv4 address: `in_cidr` of engines before 1.56
 * finds it in no IPv4 block. Other text is left as it is.
 */
export const unmapped = (ip: string): string => {
  const dotted = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(ip)?.[1];
  if (dotted !== undefined) return dotted;
  const hex = /^(?:::ffff|0{1,4}(?::0{1,4}){4}:ffff):([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(ip);
  if (hex?.[1] === undefined || hex[2] === undefined) return ip;
  const [high, low] = [Number.parseInt(hex[1], 16), Number.parseInt(hex[2], 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
};

const toContext = (context: CheckContext): v1.PbStruct =>
  toStruct(typeof context.ip === 'string' ? { ...context, ip: unmapped(context.ip) } : context);

export const toCheckItem = ({
  resource,
  permission,
  subject,
  context,
}: CheckItem): v1.CheckBulkPermissionsRequestItem =>
  v1.CheckBulkPermissionsRequestItem.create({
    resource: toObject(resource),
    permission,
    subject: toSubject(subject),
    ...(context && { context: toContext(context) }),
  });

const isContextField = (name: string): name is ContextField => (contextFields as readonly string[]).includes(name);

const failedPrecondition = 9;

export const toVerdict = (pair: v1.CheckBulkPermissionsPair): Verdict => {
  const { response } = pair;
  if (response.oneofKind === 'error') {
    const { code, message } = response.error;
    const unknown = code === failedPrecondition && / not found/.test(message);
    return { verdict: 'failed', why: message, ...(unknown && { unknown }) };
  }
  if (response.oneofKind !== 'item') return { verdict: 'failed', why: 'the engine gave no answer' };
  const { permissionship, partialCaveatInfo } = response.item;
  switch (permissionship) {
    case v1.CheckPermissionResponse_Permissionship.HAS_PERMISSION:
      return { verdict: 'has' };
    case v1.CheckPermissionResponse_Permissionship.NO_PERMISSION:
      return { verdict: 'has-not' };
    case v1.CheckPermissionResponse_Permissionship.CONDITIONAL_PERMISSION: {
      const missing = new Set(partialCaveatInfo?.missingRequiredContext);
      const parameters = [...missing].filter((name) => !isContextField(name)).sort();
      return {
        verdict: 'depends',
        on: contextFields.filter((field) => missing.has(field)),
        ...(parameters.length > 0 && { parameters }),
      };
    }
    default:
      return { verdict: 'failed', why: 'the engine gave an answer of an unknown kind' };
  }
};

/**
 * The checkpoint is a relationship of its own (gate.zed). Its subject is the sequence, or `sequence/mark` where somebody mended the
 * graph at that place: the mark takes the ground from under a projector that was still busy there. `sequence/way-mark` is where several
 * writes have left from: no question is answered from there.
 */
export const checkpointResource = 'projection:facts';
export const checkpoint = (place: string): Relationship => ({
  resource: checkpointResource,
  relation: 'reached',
  subject: `sequence:${place}`,
});
export const isOnTheWay = (place: string): boolean => place.includes('/way-');
export const reachedAt = (place: string, zookie: Zookie): Reached => ({
  sequence: sequenceAt(place),
  zookie,
  place: isOnTheWay(place) ? undefined : (place as Place),
});
/** Does the projection stand at this place? Asked of the same snapshot as everything else. */
export const standsThere = (place: Place): CheckItem => ({
  resource: checkpointResource,
  permission: 'reached',
  subject: `sequence:${place}`,
});
export const sequenceAt = (place: string): Sequence => Sequence.parse(Number(place.split('/')[0]));
export const checkpointFilter = (place?: string): v1.RelationshipFilter =>
  v1.RelationshipFilter.create({
    resourceType: 'projection',
    optionalResourceId: 'facts',
    optionalRelation: 'reached',
    ...(place !== undefined && { optionalSubjectFilter: { subjectType: 'sequence', optionalSubjectId: place } }),
  });
