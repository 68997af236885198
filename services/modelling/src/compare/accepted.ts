/** Gains that somebody has said yes to, in assertions.yaml: `user:bob gains employee:42#view`, `role:hr-reader gains payroll/list`. */
import { endpointIdOf, type Organisation, type PrincipalId, type SubjectId } from '@postern/schemas';
import type { Placed } from '../assertions/file.ts';
import type { Read } from '../assertions/reading.ts';
import type { Change } from './compare.ts';

export type Gain = {
  /** A principal, a credential, `group:x` for its members, `role:x` for its holders. */
  readonly subject: string;
  /** An endpoint's id, or `employee:42#view`. */
  readonly target: string;
};

export const readGain = (text: string): Read<Gain> => {
  const [subject = '', verb, target = '', ...rest] = text.trim().split(/\s+/);
  const form = 'write SUBJECT gains SERVICE/OPERATION, or SUBJECT gains TYPE:ID#PERMISSION';
  if (verb !== 'gains' || rest.length > 0) return { what: `"${text}" is no gain`, fix: form };
  if (!/^(user|workload|credential|group|role):\S+$/.test(subject))
    return { what: `"${subject}" is nobody who could gain`, fix: form };
  const named = /^[a-z]\S*:\S+#[a-z]\w+$/.test(target) ? target : endpointIdOf(target);
  return named === undefined
    ? { what: `"${target}" is nothing to gain`, fix: form }
    : { sentence: { subject, target: named } };
};

export type Sorted = {
  readonly accepted: readonly Change[];
  readonly open: readonly Change[];
  /** What was said yes to and is no gain here: live already, or never. */
  readonly idle: readonly Placed<Gain>[];
};

export const sortGains = (gains: readonly Change[], said: readonly Placed<Gain>[], after: Organisation): Sorted => {
  const used = new Set<Placed<Gain>>();
  const isAccepted = (target: string, subject: string): boolean => {
    const names = namesOf(after, subject);
    const found = said.filter(({ sentence }) => sentence.target === target && names.has(sentence.subject));
    for (const each of found) used.add(each);
    return found.length > 0;
  };
  const parted = gains.map((change) => {
    const accepted = change.subjects.filter((subject) => isAccepted(change.target, subject));
    return { change, accepted, open: change.subjects.filter((subject) => !accepted.includes(subject)) };
  });
  const withSubjects = (which: 'accepted' | 'open') =>
    parted.flatMap(({ change, ...by }) => (by[which].length > 0 ? [{ ...change, subjects: by[which] }] : []));
  return {
    accepted: withSubjects('accepted'),
    open: withSubjects('open'),
    idle: said.filter((each) => !used.has(each)),
  };
};

const namesOf = (organisation: Organisation, subject: string): ReadonlySet<string> => {
  const groups = /^(user|workload):/.test(subject) ? [...organisation.groups.around(subject as PrincipalId)] : [];
  const holders = [subject as SubjectId, ...groups.map((group) => `${group}#member` as SubjectId)];
  const roles = holders.flatMap((holder) => organisation.grantsOf(holder).map(({ role }) => `role:${role}`));
  return new Set([subject, ...groups, ...roles]);
};
