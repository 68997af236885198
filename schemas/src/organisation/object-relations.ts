/** The relationships of the engineers' own objects, found by their object and by their subject. */
import { type Relationship, relationshipKey } from '../relationship.ts';

export class ObjectRelations {
  readonly #byKey = new Map<string, Relationship>();
  readonly #bySubject = new Map<string, Set<string>>();

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
  add(relationship: Relationship): Relationship {
    const key = relationshipKey(relationship);
    this.#byKey.set(key, relationship);
    const keys = this.#bySubject.get(relationship.subject);
    if (keys) keys.add(key);
    else this.#bySubject.set(relationship.subject, new Set([key]));
    return relationship;
  }
  /** Was it there? */
  delete(relationship: Relationship): boolean {
    const key = relationshipKey(relationship);
    const keys = this.#bySubject.get(relationship.subject);
    keys?.delete(key);
    if (keys?.size === 0) this.#bySubject.delete(relationship.subject);
    return this.#byKey.delete(key);
  }
  /** All of a subject's; answers what was there. */
  deleteOf(subject: string): Relationship[] {
    const gone = this.of(subject);
    for (const each of gone) this.delete(each);
    return gone;
  }
}
