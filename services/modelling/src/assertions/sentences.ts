/** The sentences of assertions.yaml. Strict: a sentence that could be read in two ways is a mistake. */
import {
  type Attributes,
  Conditions,
  type Context,
  CredentialId,
  GroupId,
  Member,
  PrincipalId,
  RoleName,
  SubjectId,
} from '@postern/schemas';

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
  | { readonly kind: 'related'; readonly resource: string; readonly relation: string; readonly subject: string };

export type Circumstances = Partial<Pick<Context, 'now' | 'ip' | 'country'>>;

export type Assertion =
  | {
      readonly kind: 'can';
      readonly can: boolean;
      /** One caller, or a chain: an agent for a person. */
      readonly callers: readonly (PrincipalId | CredentialId | `role:${string}`)[];
      readonly method: string;
      readonly path: string;
      readonly circumstances: Circumstances;
    }
  | { readonly kind: 'anybody'; readonly method: string; readonly path: string; readonly circumstances: Circumstances }
  | {
      readonly kind: 'nobody-but';
      /** Principals, credentials, `group:x` and `role:x`. */
      readonly except: readonly string[];
      readonly method: string;
      readonly path: string;
      readonly circumstances: Circumstances;
    };

export type Read<Sentence> = { readonly sentence: Sentence } | { readonly what: string; readonly fix: string };

const givenForms = [
  'SUBJECT joined [ATTRIBUTE=VALUE …]',
  'SUBJECT left',
  'GROUP has MEMBER[, MEMBER …]',
  'SUBJECT holds ROLE [from INSTANT|CIDR] [until INSTANT] [in COUNTRY,…] [on DAYS HH:MM-HH:MM ZONE]',
  'credential:ID belongs to OWNER [with ROLE, …] [until INSTANT]',
  'TYPE:ID RELATION SUBJECT',
];
const assertForms = [
  'SUBJECT can|cannot METHOD PATH [at INSTANT] [from IP] [in COUNTRY]',
  'AGENT for SUBJECT can|cannot METHOD PATH …',
  'role:NAME can|cannot METHOD PATH …',
  'nobody [but WHO, …] can METHOD PATH …',
  'anybody can METHOD PATH',
];
const mistaken = (what: string, forms: readonly string[]) => ({ what, fix: `write ${forms.join('; or ')}` });

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
  const related = /^([a-z][a-z0-9_]*:\S+) ([a-z][a-z0-9_]*) ([a-z][a-z0-9_]*:\S+)$/.exec(words.join(' '));
  if (related !== null)
    return {
      sentence: { kind: 'related', resource: related[1] ?? '', relation: related[2] ?? '', subject: related[3] ?? '' },
    };
  return mistaken(`"${text}" is not understood`, givenForms);
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
    if (name in given) return { what: `"${word}" stands twice` };
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

const listOf = (words: readonly string[]): string[] =>
  words
    .join(' ')
    .split(/\s*,\s*|\s+and\s+/)
    .map((each) => each.trim())
    .filter((each) => each !== '');

const roleText = /^role:[a-z][a-z0-9_-]{1,62}[a-z0-9]$/;
const callerOf = (text: string): PrincipalId | CredentialId | `role:${string}` | undefined =>
  roleText.test(text)
    ? (text as `role:${string}`)
    : (PrincipalId.safeParse(text).data ?? CredentialId.safeParse(text).data);

export const readAssertion = (text: string): Read<Assertion> => {
  const found = /^(.+?)\s+(can|cannot|can't)\s+([A-Za-z]+)\s+(\/\S*)(.*)$/.exec(text.trim());
  if (found === null) return mistaken(`"${text}" is not understood`, assertForms);
  const [, who = '', verb, method = '', path = '', rest = ''] = found;
  if (method !== method.toUpperCase())
    return { what: `"${method}" is no method`, fix: `write ${method.toUpperCase()}` };
  const circumstances = readCircumstances(rest.trim().split(/\s+/).filter(Boolean));
  if ('what' in circumstances) return mistaken(circumstances.what, assertForms.slice(0, 1));
  const call = { method, path, circumstances };
  const can = verb === 'can';
  if (who === 'anybody' || who === 'everybody')
    return can
      ? { sentence: { kind: 'anybody', ...call } }
      : { what: `"${who} cannot" could mean two things`, fix: `write "nobody can ${method} ${path}"` };
  const nobody = /^nobody(?:\s+but\s+(.+))?$/.exec(who);
  if (nobody !== null) {
    if (!can) return { what: '"nobody cannot" says nothing', fix: `write "nobody but WHO can ${method} ${path}"` };
    const except = listOf((nobody[1] ?? '').split(/\s+/));
    const unknown = except.find((each) => callerOf(each) === undefined && !GroupId.safeParse(each).success);
    if (unknown !== undefined)
      return {
        what: `"${unknown}" is nobody`,
        fix: 'write user:NAME, workload:NAME, credential:ID, group:NAME or role:NAME',
      };
    return { sentence: { kind: 'nobody-but', except, ...call } };
  }
  const callers = who.split(/\s+for\s+/).map(callerOf);
  if (callers.some((each) => each === undefined)) return mistaken(`"${who}" is nobody who could call`, assertForms);
  return { sentence: { kind: 'can', can, callers: callers.flatMap((each) => each ?? []), ...call } };
};

const readCircumstances = (words: readonly string[]): Circumstances | { readonly what: string } => {
  const read: { now?: string; ip?: string; country?: string } = {};
  for (let at = 0; at < words.length; at += 2) {
    const [word, value = ''] = [words[at], words[at + 1]];
    if (word === 'at' && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)))
      read.now = new Date(value).toISOString();
    else if (word === 'from' && /^[0-9a-fA-F.:]+$/.test(value)) read.ip = value;
    else if (word === 'in' && /^[A-Z]{2}$/.test(value)) read.country = value;
    else return { what: `"${[word, value].join(' ').trim()}" is not understood` };
  }
  return read;
};
