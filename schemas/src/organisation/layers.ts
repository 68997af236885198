/**
 * Maps and sets laid over others: what is changed in a layer is seen there alone, and what lies under it is read as it is, never
 * copied whole. What lies under a layer must not change as long as the layer is used.
 */

/** A map of its own, or one laid over another; maps and sets in it are laid over in their turn, when they are first asked for. */
export const layered = <Key, Value>(under?: Map<Key, Value>): Map<Key, Value> =>
  under === undefined ? new Map<Key, Value>() : new LayeredMap(under);

export const layeredSet = <Value>(under?: Set<Value>): Set<Value> =>
  under === undefined ? new Set<Value>() : new LayeredSet(under);

class LayeredMap<Key, Value> extends Map<Key, Value> {
  readonly #under: Map<Key, Value>;
  /** Keys that were deleted here; one that came again stands at the end, as in any map. */
  readonly #gone = new Set<Key>();
  /** Values set here for keys that stand where they stood. */
  readonly #changed = new Map<Key, Value>();
  readonly #added = new Map<Key, Value>();

  constructor(under: Map<Key, Value>) {
    super();
    this.#under = under;
  }
  #standsUnder(key: Key): boolean {
    return !this.#gone.has(key) && this.#under.has(key);
  }
  override get size(): number {
    return this.#under.size - this.#gone.size + this.#added.size;
  }
  override has(key: Key): boolean {
    return this.#added.has(key) || this.#standsUnder(key);
  }
  override get(key: Key): Value | undefined {
    const own = this.#added.get(key) ?? this.#changed.get(key);
    if (own !== undefined || !this.#standsUnder(key)) return own;
    const value = this.#under.get(key);
    const over = value === undefined ? value : overOf(value);
    if (over !== undefined && over !== value) this.#changed.set(key, over);
    return over;
  }
  override set(key: Key, value: Value): this {
    (this.#standsUnder(key) ? this.#changed : this.#added).set(key, value);
    return this;
  }
  override delete(key: Key): boolean {
    if (this.#added.delete(key)) return true;
    if (!this.#standsUnder(key)) return false;
    this.#gone.add(key);
    this.#changed.delete(key);
    return true;
  }
  override clear(): void {
    for (const key of [...this.keys()]) this.delete(key);
  }
  override *entries(): MapIterator<[Key, Value]> {
    for (const key of this.keys()) yield [key, this.get(key) as Value];
  }
  override *keys(): MapIterator<Key> {
    for (const key of this.#under.keys()) if (!this.#gone.has(key)) yield key;
    yield* this.#added.keys();
  }
  override *values(): MapIterator<Value> {
    for (const key of this.keys()) yield this.get(key) as Value;
  }
  override [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.entries();
  }
  override forEach(each: (value: Value, key: Key, map: Map<Key, Value>) => void): void {
    for (const [key, value] of this) each(value, key, this);
  }
}

class LayeredSet<Value> extends Set<Value> {
  readonly #all: Map<Value, true>;
  constructor(under: Set<Value>) {
    super();
    this.#all = new LayeredMap(asMap(under));
  }
  override get size(): number {
    return this.#all.size;
  }
  override has(value: Value): boolean {
    return this.#all.has(value);
  }
  override add(value: Value): this {
    if (!this.#all.has(value)) this.#all.set(value, true);
    return this;
  }
  override delete(value: Value): boolean {
    return this.#all.delete(value);
  }
  override clear(): void {
    this.#all.clear();
  }
  override keys(): SetIterator<Value> {
    return this.#all.keys();
  }
  override values(): SetIterator<Value> {
    return this.#all.keys();
  }
  override *entries(): SetIterator<[Value, Value]> {
    for (const value of this.#all.keys()) yield [value, value];
  }
  override [Symbol.iterator](): SetIterator<Value> {
    return this.#all.keys();
  }
  override forEach(each: (value: Value, again: Value, set: Set<Value>) => void): void {
    for (const value of this) each(value, value, this);
  }
}

/** What a layer asks of a set, asked as of a map. */
const asMap = <Value>(set: Set<Value>): Map<Value, true> =>
  ({
    get size() {
      return set.size;
    },
    has: (value: Value) => set.has(value),
    get: (value: Value) => (set.has(value) ? true : undefined),
    keys: () => set.keys(),
  }) as Map<Value, true>;

const overOf = <Value>(value: Value): Value => {
  if (value instanceof Map) return layered(value) as Value;
  if (value instanceof Set) return layeredSet(value) as Value;
  return value;
};
