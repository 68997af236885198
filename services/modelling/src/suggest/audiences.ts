/**
 * To whom a need belongs: those groups and departments of which enough have it, and else the callers themselves. A role for a whole
 * department because one of its forty people called something would be no least privilege.
 */
import type { Attributes, GroupId, Organisation, PrincipalId, SubjectId } from '@postern/schemas';
import type { Subject } from '../preview/use.ts';

export type Audience = {
  readonly key: string;
  /** "group:payroll", "department finance", "user:ann" */
  readonly name: string;
  /** Whom a grant names; none is needed where the role is a birthright. */
  readonly holder?: SubjectId;
  readonly birthright?: Attributes;
  readonly members: ReadonlySet<string>;
};

export const audiencesOver = (organisation: Organisation, adoption: number) => {
  const known = new Map<string, Audience>();
  const active = new Set<string>();
  const byAttributes = new Map<string, { readonly birthright: Attributes; readonly members: Set<string> }>();
  for (const { id, state, attributes } of organisation.principals.values()) {
    if (state !== 'active') continue;
    active.add(id);
    for (const birthright of attributesOf(attributes)) {
      const key = JSON.stringify(birthright);
      const found = byAttributes.get(key) ?? { birthright, members: new Set() };
      found.members.add(id);
      byAttributes.set(key, found);
    }
  }
  const remember = (audience: Audience): Audience => {
    const found = known.get(audience.key) ?? audience;
    known.set(audience.key, found);
    return found;
  };
  const groupAudience = (group: GroupId): Audience =>
    known.get(group) ??
    remember({
      key: group,
      name: group,
      holder: `${group}#member` as SubjectId,
      members: new Set([...organisation.groups.inside(group)].filter((each) => active.has(each))),
    });
  const attributeAudience = (attributes: Attributes): Audience[] => {
    const key = JSON.stringify(attributes);
    const found = byAttributes.get(key);
    if (found === undefined) return [];
    const name = Object.entries(found.birthright)
      .map(([attribute, value]) => `${attribute} ${value}`)
      .join(', ');
    return [remember({ key, name, birthright: found.birthright, members: found.members })];
  };
  const self = (subject: Subject): Audience =>
    remember({ key: subject, name: subject, holder: subject as SubjectId, members: new Set([subject]) });
  const candidates = (subject: Subject): Audience[] => {
    if (!active.has(subject)) return [];
    const attributes = organisation.principals.get(subject as PrincipalId)?.attributes ?? {};
    return [
      ...[...organisation.groups.around(subject as PrincipalId)].map(groupAudience),
      ...attributesOf(attributes).flatMap(attributeAudience),
    ];
  };

  /** The audiences that cover the callers, those with most of them first. */
  return (callers: ReadonlySet<Subject>): Audience[] => {
    const left = new Set<Subject>(callers);
    const chosen: Audience[] = [];
    while (left.size > 0) {
      const reached = new Map<Audience, number>();
      for (const caller of left)
        for (const audience of candidates(caller)) reached.set(audience, (reached.get(audience) ?? 0) + 1);
      // Adoption counts all who have the need, those too that another audience covers.
      const fit = [...reached].filter(
        ([{ members }]) =>
          [...members].filter((each) => callers.has(each as Subject)).length >= adoption * members.size,
      );
      const [best] = fit.sort(
        ([a, x], [b, y]) =>
          y - x ||
          a.members.size - b.members.size ||
          rank(a) - rank(b) ||
          Object.keys(a.birthright ?? {}).length - Object.keys(b.birthright ?? {}).length ||
          (a.key < b.key ? -1 : 1),
      );
      if (best === undefined) break;
      chosen.push(best[0]);
      for (const member of best[0].members) left.delete(member as Subject);
    }
    return [...chosen, ...[...left].sort().map(self)];
  };
};

/** A group is a decision that somebody made; a department holds whoever the HR system puts there. */
const rank = ({ birthright }: Audience): number => (birthright === undefined ? 0 : 1);

/** A department, and a title within it. */
const attributesOf = ({ department, title }: Attributes): Attributes[] =>
  department === undefined
    ? []
    : [{ department }, ...(title === undefined ? [] : [{ department, title } satisfies Attributes])];
