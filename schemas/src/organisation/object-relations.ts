/** The relationships of the engineers' own objects, found by their object and by their subject, each with the fact that told it. */
import type { Sequence } from '../ids.ts';
import { type Relationship, relationshipKey } from '../relationship.ts';

/** The fact behind a relationship, who caused it, and what for. */
export type RelationSource = { readonly fact: Sequence; readonly by: string; readonly reason?: string };

export class ObjectRelations {
  readonly #byKey = new Map<string, Relationship>();
  readonly #bySubject = new Map<string, Set<string>>();
  readonly #sources = new Map<string, RelationSource>();
  /** Made when it is first asked for: only who explains asks for it. */
  #byObject: Map<string, Set<string>> | undefined;

  get size(): number {
    return this.#byKey.size;
  }
  has(relationship: Relationship): boolean {
    return this.#byKey.has(relationshipKey(relationship));
  }
  all(): Iterable<Relationship> {
    return this.#byKey.values();
  }
  of(subject: string): Relationship[] {
    return [...(this.#bySubject.get(subject) ?? [])].flatMap((key) => this.#byKey.get(key) ?? []);
  }
  /** All relationships in which the object is what they are about. */
  on(object: string): Relationship[] {
    if (this.#byObject === undefined) {
      this.#byObject = new Map();
      for (const [key, { resource }] of this.#byKey) addTo(this.#byObject, resource, key);
    }
    return [...(this.#byObject.get(object) ?? [])].flatMap((key) => this.#byKey.get(key) ?? []);
  }
  sourceOf(relationship: Relationship): RelationSource | undefined {
    return this.#sources.get(relationshipKey(relationship));
  }
  add(relationship: Relationship, source?: RelationSource): Relationship {
    const key = relationshipKey(relationship);
    this.#byKey.set(key, relationship);
    if (source !== undefined) this.#sources.set(key, source);
    addTo(this.#bySubject, relationship.subject, key);
    if (this.#byObject !== undefined) addTo(this.#byObject, relationship.resource, key);
    return relationship;
  }
  /** Was it there? */
  delete(relationship: Relationship): boolean {
    const key = relationshipKey(relationship);
    const keys = this.#bySubject.get(relationship.subject);
    keys?.delete(key);
    if (keys?.size === 0) this.#bySubject.delete(relationship.subject);
    const ofObject = this.#byObject?.get(relationship.resource);
    ofObject?.delete(key);
    if (ofObject?.size === 0) this.#byObject?.delete(relationship.resource);
    this.#sources.delete(key);
    return this.#byKey.delete(key);
  }
  /** All of a subject's; answers what was there. */
  deleteOf(subject: string): Relationship[] {
    const gone = this.of(subject);
    for (const each of gone) this.delete(each);
    return gone;
  }
}

const addTo = (index: Map<string, Set<string>>, name: string, key: string): void => {
  const keys = index.get(name);
  if (keys) keys.add(key);
  else index.set(name, new Set([key]));
};
