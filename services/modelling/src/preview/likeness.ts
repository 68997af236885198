/**
 * Subjects that nothing in the graph tells apart. Two of one type that stand in exactly the same relationships can be exchanged without
 * changing the graph, so every question has the same answer for both, whatever the schema says: asking about one of them is enough.
 */
import { canonicalJson, type Relationship } from '@postern/schemas';

const separator = '\n';

export const likenessOver = (relationships: Iterable<Relationship>): ((subject: string) => string) => {
  const standsIn = new Map<string, string[]>();
  const resources = new Set<string>();
  for (const { resource, relation, subject, anyOf } of relationships) {
    resources.add(resource);
    const place = `${resource}#${relation}${anyOf === undefined ? '' : ` ${canonicalJson(anyOf)}`}`;
    const known = standsIn.get(subject);
    if (known === undefined) standsIn.set(subject, [place]);
    else known.push(place);
  }
  const names = new Map<string, string>();
  const likeness = new Map<string, string>();
  return (subject) => {
    const known = likeness.get(subject);
    if (known !== undefined) return known;
    const type = subject.slice(0, subject.indexOf(':'));
    // What others relate to is itself in the graph's middle: a key and its owner, an object that is also a person.
    const places = resources.has(subject) ? [subject] : (standsIn.get(subject) ?? []).sort();
    const key = [type, ...places].join(separator);
    const name = names.get(key) ?? `${type}~${names.size}`;
    names.set(key, name);
    likeness.set(subject, name);
    return name;
  };
};
