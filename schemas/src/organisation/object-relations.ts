/** The relationships of the engineers' own objects, found by their object and by their subject, each with the fact that told it. */
import type { Sequence } from '../ids.ts';
import { type Relationship, relationshipKey } from '../relationship.ts';
import type { ClaimTime } from './claims.ts';
import { dawn, type EdgeClaim, type EdgeTime, isAfter, later } from './edge-time.ts';
import { layered } from './layers.ts';

/** The fact behind a relationship, who caused it, and what for. */
export type RelationSource = { readonly fact: Sequence; readonly by: string; readonly reason?: string };

export class ObjectRelations {
  readonly #byKey: Map<string, Relationship>;
  readonly #bySubject: Map<string, Set<string>>;
  readonly #sources: Map<string, RelationSource>;
  /** Since when each holds, or until when it did. */
  readonly #since: Map<string, EdgeTime>;
  readonly #out: Map<string, ClaimTime>;
  /** By subject: relations of who is not here. */
  readonly #waiting: Map<string, Map<string, { readonly edge: Relationship; readonly at: EdgeTime }>>;
  /** Made when it is first asked for: only who explains asks for it. */
  #byObject: Map<string, Set<string>> | undefined;

  constructor(under?: ObjectRelations) {
    this.#byKey = layered(under === undefined ? undefined : under.#byKey);
    this.#bySubject = layered(under === undefined ? undefined : under.#bySubject);
    this.#sources = layered(under === undefined ? undefined : under.#sources);
    this.#since = layered(under === undefined ? undefined : under.#since);
    this.#out = layered(under === undefined ? undefined : under.#out);
    this.#waiting = layered(under === undefined ? undefined : under.#waiting);
    this.#byObject = under === undefined || under.#byObject === undefined ? undefined : layered(under.#byObject);
  }

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
  /** What is known of the relation, and for when. */
  claimOf(relationship: Relationship): EdgeClaim | undefined {
    const key = relationshipKey(relationship);
    const since = this.#since.get(key) ?? this.#waiting.get(relationship.subject)?.get(key)?.at;
    if (since !== undefined) return { is: 'in', at: since };
    const until = this.#out.get(key);
    return until && { is: 'out', at: until };
  }
  /** Relations that count once the subject is here. */
  waitingOf(subject: string): readonly { readonly edge: Relationship; readonly at: ClaimTime }[] {
    return [...(this.#waiting.get(subject)?.values() ?? [])];
  }
  *allWaiting(): Generator<{ readonly member: string; readonly in: string }> {
    for (const [subject, all] of this.#waiting)
      for (const { edge } of all.values()) yield { member: subject, in: `${edge.resource}#${edge.relation}` };
  }
  sinceOf(relationship: Relationship): ClaimTime | undefined {
    return this.#since.get(relationshipKey(relationship));
  }
  /** Keeps what was said and changes nothing that holds. */
  claim(edge: Relationship, is: EdgeClaim['is'], at: EdgeTime): void {
    const key = relationshipKey(edge);
    if (is === 'in' && this.#byKey.has(key)) {
      this.#since.set(key, later(at, this.#since.get(key)));
      return;
    }
    this.#forgetClaim(edge, key);
    if (is === 'out') this.#out.set(key, at);
    else {
      const waiting = this.#waiting.get(edge.subject);
      if (waiting) waiting.set(key, { edge, at });
      else this.#waiting.set(edge.subject, new Map([[key, { edge, at }]]));
    }
  }
  #forgetClaim({ subject }: Relationship, key: string): void {
    this.#out.delete(key);
    const waiting = this.#waiting.get(subject);
    waiting?.delete(key);
    if (waiting?.size === 0) this.#waiting.delete(subject);
  }
  add(relationship: Relationship, source?: RelationSource, at: EdgeTime = dawn): Relationship {
    const key = relationshipKey(relationship);
    const since = later(at, this.claimOf(relationship)?.at);
    this.#forgetClaim(relationship, key);
    this.#since.set(key, since);
    this.#byKey.set(key, relationship);
    if (source !== undefined) this.#sources.set(key, source);
    addTo(this.#bySubject, relationship.subject, key);
    if (this.#byObject !== undefined) addTo(this.#byObject, relationship.resource, key);
    return relationship;
  }
  /** Was it there? */
  delete(relationship: Relationship, at: EdgeTime = dawn): boolean {
    const key = relationshipKey(relationship);
    const until = later(at, this.claimOf(relationship)?.at);
    this.#since.delete(key);
    this.claim(relationship, 'out', until);
    const keys = this.#bySubject.get(relationship.subject);
    keys?.delete(key);
    if (keys?.size === 0) this.#bySubject.delete(relationship.subject);
    const ofObject = this.#byObject?.get(relationship.resource);
    ofObject?.delete(key);
    if (ofObject?.size === 0) this.#byObject?.delete(relationship.resource);
    this.#sources.delete(key);
    return this.#byKey.delete(key);
  }
  /** All of a subject's; answers what was there. What a source says for later than `at` waits for them. */
  deleteOf(subject: string, at?: ClaimTime): Relationship[] {
    const gone = this.of(subject);
    for (const each of gone) {
      const key = relationshipKey(each);
      const since = this.#since.get(key);
      this.delete(each);
      this.#forgetClaim(each, key);
      if (at !== undefined && since?.waits === true && isAfter(since, at)) this.claim(each, 'in', since);
    }
    return gone;
  }
}

const addTo = (index: Map<string, Set<string>>, name: string, key: string): void => {
  const keys = index.get(name);
  if (keys) keys.add(key);
  else index.set(name, new Set([key]));
};
