/** The sentences that say what is so. Strict: a sentence that could be read in two ways is a mistake. */
import {
  type Attributes,
  Conditions,
  CredentialId,
  GroupId,
  Member,
  ObjectId,
  ObjectSubject,
  PrincipalId,
  RoleName,
  SchemaName,
  SubjectId,
} from '@postern/schemas';
import { listOf, mistaken, type Read } from './reading.ts';

export type Given =
  | { readonly kind: 'joined'; readonly principal: PrincipalId; readonly attributes: Attributes }
  | { readonly kind: 'left'; readonly principal: PrincipalId }
  | { readonly kind: 'has'; readonly group: GroupId; readonly members: readonly Member[] }
  | {
      readonly kind: 'holds';
      readonly subject: SubjectId;
      readonly role: RoleName;
      readonly conditions: Conditions | undefined;
    }
  | {
      readonly kind: 'key';
      readonly credential: CredentialId;
      readonly owner: PrincipalId;
      readonly roles: readonly RoleName[];
      readonly until: string | undefined;
    }
  | { readonly kind: 'related'; readonly object: ObjectId; readonly relation: string; readonly subject: ObjectSubject };

const givenForms = [
  'SUBJECT joined [ATTRIBUTE=VALUE …]',
  'SUBJECT left',
  'GROUP has MEMBER[, MEMBER …]',
  'SUBJECT holds ROLE [from INSTANT|CIDR] [until INSTANT] [in COUNTRY,…] [on DAYS HH:MM-HH:MM ZONE] [with acr|amr VALUE,…]',
  'credential:ID belongs to OWNER [with ROLE, …] [until INSTANT]',
  'TYPE:ID RELATION SUBJECT',
];
/** `+` as SubjectId takes it: a group stands for its members. */
const holder = (text: string) => SubjectId.safeParse(GroupId.safeParse(text).success ? `${text}#member` : text);

const attributeNames = ['department', 'title', 'location', 'costCenter', 'employmentType', 'manager'] as const;

export const readGiven = (text: string): Read<Given> => {
  const words = text.trim().split(/\s+/);
  const [first = '', verb = '', ...rest] = words;
  const bad = (what: string, form: number) => mistaken(what, givenForms.slice(form, form + 1));
  if (verb === 'joined' || verb === 'left') {
    const principal = PrincipalId.safeParse(first);
    if (!principal.success) return bad(`${first} is nobody who could have ${verb}`, verb === 'joined' ? 0 : 1);
    if (verb === 'left')
      return rest.length === 0
        ? { sentence: { kind: 'left', principal: principal.data } }
        : bad(`"${rest.join(' ')}" is not understood behind "left"`, 1);
    return readAttributes(principal.data, text, rest);
  }
  if (verb === 'has') {
    const group = GroupId.safeParse(first);
    const members = listOf(rest).map((each) => Member.safeParse(each));
    if (!group.success || members.length === 0 || members.some(({ success }) => !success))
      return bad(`"${text}" names no group and its members`, 2);
    return { sentence: { kind: 'has', group: group.data, members: members.flatMap(({ data }) => data ?? []) } };
  }
  if (verb === 'holds') {
    const [subject, role] = [holder(first), RoleName.safeParse(rest[0])];
    if (!subject.success) return bad(`${first} is nobody who could hold a role`, 3);
    if (!role.success) return bad(`${rest[0] ?? 'nothing'} is no role's name`, 3);
    const conditions = readConditions(rest.slice(1));
    if ('what' in conditions) return mistaken(conditions.what, givenForms.slice(3, 4));
    return { sentence: { kind: 'holds', subject: subject.data, role: role.data, conditions: conditions.conditions } };
  }
  if (verb === 'belongs' && rest[0] === 'to') return readKey(first, rest.slice(1), text);
  if (words.length === 3 && first.includes(':') && rest[0]?.includes(':')) return readRelated(first, verb, rest[0]);
  return mistaken(`"${text}" is not understood`, givenForms);
};

const readRelated = (first: string, verb: string, who: string): Read<Given> => {
  const [object, relation, subject] = [
    ObjectId.safeParse(first),
    SchemaName.safeParse(verb),
    ObjectSubject.safeParse(who),
  ];
  const issue = [object, relation, subject].flatMap(({ error }) => error?.issues ?? [])[0];
  if (!object.success || !relation.success || !subject.success)
    return mistaken(`"${first} ${verb} ${who}" is no relation of an object: ${issue?.message}`, givenForms.slice(5));
  return { sentence: { kind: 'related', object: object.data, relation: relation.data, subject: subject.data } };
};

const readAttributes = (principal: PrincipalId, text: string, rest: readonly string[]): Read<Given> => {
  const attributes: Record<string, string> = {};
  // A value may hold spaces where it is quoted: department="Human Resources".
  const behind = text.slice(text.indexOf('joined') + 'joined'.length);
  const pairs = [...behind.matchAll(/\s+([A-Za-z]+)=(?:"([^"]*)"|(\S+))/g)];
  if (pairs.map(([pair]) => pair).join('') !== behind.trimEnd())
    return mistaken(`"${rest.join(' ')}" is no list of attributes`, givenForms.slice(0, 1));
  for (const [, name = '', quoted, plain] of pairs) {
    if (!(attributeNames as readonly string[]).includes(name))
      return { what: `there is no attribute ${name}`, fix: `write one of ${attributeNames.join(', ')}` };
    attributes[name] = quoted ?? plain ?? '';
  }
  return { sentence: { kind: 'joined', principal, attributes: attributes as Attributes } };
};

const readKey = (first: string, rest: readonly string[], text: string): Read<Given> => {
  const bad = (what: string) => mistaken(what, givenForms.slice(4, 5));
  const [credential, owner] = [CredentialId.safeParse(first), PrincipalId.safeParse(rest[0])];
  if (!credential.success || !owner.success) return bad(`"${text}" names no credential and its owner`);
  const found = /^(?:with (.+?))?\s*(?:until (\S+))?$/.exec(rest.slice(1).join(' '));
  if (found === null) return bad(`"${rest.slice(1).join(' ')}" is not understood`);
  const roles = listOf((found[1] ?? '').split(/\s+/)).map((each) => RoleName.safeParse(each));
  if (roles.some(({ success }) => !success)) return bad(`"${found[1]}" is no list of roles`);
  return {
    sentence: {
      kind: 'key',
      credential: credential.data,
      owner: owner.data,
      roles: roles.flatMap(({ data }) => data ?? []),
      until: found[2],
    },
  };
};

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

const readConditions = (
  words: readonly string[],
): { readonly conditions: Conditions | undefined } | { readonly what: string } => {
  const given: Record<string, unknown> = {};
  for (let at = 0; at < words.length; at += 2) {
    const [word = '', value] = [words[at], words[at + 1]];
    if (value === undefined) return { what: `"${word}" stands without what belongs to it` };
    const name = word === 'from' ? (/^\d{4}-/.test(value) ? 'from' : 'cidrs') : word === 'in' ? 'countries' : word;
    if (name !== 'with' && name in given) return { what: `"${word}" stands twice` };
    if (name === 'from' || name === 'until') given[name] = value;
    else if (name === 'cidrs')
      given[name] = value
        .split(',')
        .map((each) => (each.includes('/') ? each : `${each}/${each.includes(':') ? 128 : 32}`));
    else if (name === 'countries') given[name] = value.split(',');
    else if (name === 'on') {
      const hours = readHours(value, words[at + 2], words[at + 3]);
      if (hours === undefined) return { what: `"on ${words.slice(at + 1, at + 4).join(' ')}" are no weekly hours` };
      given['hours'] = hours;
      at += 2;
    } else if (name === 'with') {
      // Any one of the classes, all of the methods: as a grant's conditions have it.
      const values = words[at + 2];
      if ((value !== 'acr' && value !== 'amr') || values === undefined)
        return { what: `"with ${words.slice(at + 1, at + 3).join(' ')}" is not understood` };
      if (value in given) return { what: `"${value}" stands twice` };
      given[value] = values.split(',');
      at += 1;
    } else return { what: `"${word}" is not understood` };
  }
  if (Object.keys(given).length === 0) return { conditions: undefined };
  const read = Conditions.safeParse(given);
  return read.success
    ? { conditions: read.data }
    : { what: read.error.issues.map(({ message }) => message).join(', ') };
};

/** `Mon-Fri 09:00-17:00 Europe/Berlin` */
const readHours = (on: string, times: string | undefined, tz: string | undefined): object | undefined => {
  const clock = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(times ?? '');
  if (clock === null || tz === undefined) return undefined;
  const numbers: number[] = [];
  for (const part of on.split(',')) {
    const [from, to] = part.split('-').map((day) => days.indexOf(day));
    if (from === undefined || from < 0 || (to !== undefined && to < 0)) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      numbers.push(day);
      if (day === (to ?? from)) break;
    }
  }
  const [, h = '', m = '', h2 = '', m2 = ''] = clock;
  return { tz, days: numbers, from: Number(h) * 60 + Number(m), to: Number(h2) * 60 + Number(m2) };
};
