/** C2SP tlog-tiles: where a log's hashes and entries are found, 256 at a time. */
export const tileWidth = 256;
export const tileLevelMax = 63;

export type Tile = {
  /** Level of hashes, or the entries themselves. */
  readonly level: number | 'entries';
  readonly index: number;
  /** 256 for a full tile, 1 to 255 for the partial one at the right edge. */
  readonly width: number;
};

/** `tile/<L>/<N>[.p/<W>]`, N in groups of three digits. */
export const tilePath = ({ level, index, width }: Tile): string => {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const place = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${place}${width < tileWidth ? `.p/${width}` : ''}`;
};

/** Undefined for a path that {@link tilePath} never writes. */
export const parseTilePath = (path: string): Tile | undefined => {
  const [, level, place, partial] =
    /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path) ?? [];
  if (level === undefined || place === undefined) return undefined;
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(place.replaceAll(/[x/]/g, '')),
    width: partial === undefined ? tileWidth : Number(partial),
  };
  if (tile.level !== 'entries' && tile.level > tileLevelMax) return undefined;
  return Number.isSafeInteger(tile.index) && tilePath(tile) === path ? tile : undefined;
};

/** How many entries one hash of this level stands for. */
export const tileSpan = (level: number | 'entries'): number => (level === 'entries' ? 1 : tileWidth ** level);

/** Whether the tree of `size` entries has this tile: full, or partial and no wider than the tree. */
export const treeHasTile = ({ level, index, width }: Tile, size: number): boolean =>
  (index * tileWidth + width) * tileSpan(level) <= size;

/** Every tile of a tree of `size` entries, the entry bundles included. */
export function* tilesOf(size: number): Generator<Tile> {
  const levels: (number | 'entries')[] = size > 0 ? ['entries'] : [];
  for (let level = 0; tileSpan(level) <= size; level++) levels.push(level);
  for (const level of levels) {
    const hashes = Math.floor(size / tileSpan(level));
    for (let index = 0; index * tileWidth < hashes; index++)
      yield { level, index, width: Math.min(tileWidth, hashes - index * tileWidth) };
  }
}

/** A bundle of entries: each behind its length as a big-endian uint16. Throws RangeError for an entry beyond 65,535 bytes. */
export const writeBundle = (entries: readonly Uint8Array[]): Uint8Array => {
  const bundle = new Uint8Array(entries.reduce((total, entry) => total + 2 + entry.byteLength, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.byteLength > 0xffff) throw new RangeError('an entry of a log has at most 65,535 bytes');
    bundle.set([entry.byteLength >> 8, entry.byteLength & 255], at);
    bundle.set(entry, at + 2);
    at += 2 + entry.byteLength;
  }
  return bundle;
};

/** Undefined for bytes that are no bundle. */
export const readBundle = (bundle: Uint8Array): Uint8Array[] | undefined => {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.byteLength; ) {
    const [high, low] = bundle.subarray(at, at + 2);
    if (high === undefined || low === undefined) return undefined;
    const end = at + 2 + high * 256 + low;
    if (end > bundle.byteLength) return undefined;
    entries.push(bundle.slice(at + 2, end));
    at = end;
  }
  return entries;
};
