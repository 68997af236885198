import { layered } from '../layers.ts';

/** Things that end: all that are under way, and the last of those that have ended; the record knows the others. */
export class Kept<Id, Thing> {
  readonly #all: Map<Id, Thing>;
  readonly #ended: Id[];
  readonly #endedMax: number;
  /** What stood before this layer and has no copy of its own here yet. */
  readonly #notOwn: Set<Id>;
  readonly #layer: (thing: Thing) => Thing;
  /** `layer`: a copy that may be changed, where things change in place. */
  constructor(endedMax: number, under?: Kept<Id, Thing>, layer: (thing: Thing) => Thing = (thing) => thing) {
    this.#endedMax = endedMax;
    this.#all = layered(under === undefined ? undefined : under.#all);
    this.#ended = [...(under === undefined ? [] : under.#ended)];
    this.#notOwn = new Set(under === undefined ? undefined : under.#all.keys());
    this.#layer = layer;
  }
  get(id: Id): Thing | undefined {
    const thing = this.#all.get(id);
    if (thing === undefined || !this.#notOwn.delete(id)) return thing;
    const own = this.#layer(thing);
    this.#all.set(id, own);
    return own;
  }
  all(): Iterable<Thing> {
    return this.#all.values();
  }
  set(id: Id, thing: Thing): void {
    this.#notOwn.delete(id);
    this.#all.set(id, thing);
  }
  end(id: Id, thing: Thing): void {
    this.set(id, thing);
    this.#ended.push(id);
    const oldest = this.#ended.length > this.#endedMax ? this.#ended.shift() : undefined;
    if (oldest !== undefined) this.#all.delete(oldest);
  }
}
