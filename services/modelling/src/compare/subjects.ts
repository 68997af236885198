/**
 * Whom to ask for. Subjects that stand in the same relationships are the same to the engine, whatever the schema says: one of them
 * is asked, and the answer is that of all. So a comparison over many people asks as much as there are different ones.
 */
import { canonicalJson, type Relationship } from '@postern/schemas';

/** `subject` is asked for all of `alike`, itself included. */
export type Kin = { readonly subject: string; readonly alike: readonly string[] };

export const kinOf = (subjects: Iterable<string>, relationships: Iterable<Relationship>): Kin[] => {
  const wanted = new Set(subjects);
  const edges = new Map<string, string[]>();
  const add = (subject: string, edge: string): void => {
    const own = edges.get(subject);
    if (own) own.push(edge);
    else edges.set(subject, [edge]);
  };
  for (const { resource, relation, subject, anyOf, caveat } of relationships) {
    const condition = anyOf === undefined && caveat === undefined ? '' : canonicalJson({ anyOf, caveat });
    if (wanted.has(subject)) add(subject, `${resource}#${relation} ${condition}`);
    // What has relationships of its own (a credential's owner) is like nobody else.
    if (wanted.has(resource)) add(resource, `itself ${resource}`);
    const [object = ''] = subject.split('#');
    if (object !== subject && wanted.has(object)) add(object, `itself ${object}`);
  }
  const kin = new Map<string, string[]>();
  for (const subject of wanted) {
    const type = subject.slice(0, subject.indexOf(':'));
    const key = [type, ...(edges.get(subject) ?? []).sort()].join('\n');
    const alike = kin.get(key);
    if (alike) alike.push(subject);
    else kin.set(key, [subject]);
  }
  return [...kin.values()].map((alike) => ({ subject: alike[0] as string, alike }));
};
