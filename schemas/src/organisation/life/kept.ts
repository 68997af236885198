/** Things that end: all that are under way, and the last of those that have ended; the record knows the others. */
export class Kept<Id, Thing> {
  readonly #all = new Map<Id, Thing>();
  readonly #ended: Id[] = [];
  readonly #endedMax: number;
  constructor(endedMax: number) {
    this.#endedMax = endedMax;
  }
  get(id: Id): Thing | undefined {
    return this.#all.get(id);
  }
  all(): Iterable<Thing> {
    return this.#all.values();
  }
  set(id: Id, thing: Thing): void {
    this.#all.set(id, thing);
  }
  end(id: Id, thing: Thing): void {
    this.#all.set(id, thing);
    this.#ended.push(id);
    const oldest = this.#ended.length > this.#endedMax ? this.#ended.shift() : undefined;
    if (oldest !== undefined) this.#all.delete(oldest);
  }
}
