/** Which gains of a comparison somebody has said yes to. */
import type { Organisation, PrincipalId, SubjectId } from '@postern/schemas';
import type { Gain } from '../assertions/gains.ts';
import type { Placed } from '../assertions/reading.ts';
import type { Change } from './compare.ts';

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
