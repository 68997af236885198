/** The checkpoints that a log has kept of itself, judged while its tree grows: none missing, each signed, each a beginning of the tree. */
import { openCheckpoint } from '../tlog/checkpoint.ts';
import { equalBytes } from '../tlog/hash.ts';
import type { NoteKey } from '../tlog/note.ts';
import { objectIn } from './row.ts';

export type KeptCheckpoint = {
  /** Counted from 1, without a gap, in the order in which they were signed. */
  readonly number: number;
  readonly size: number;
  readonly note: string;
};

/** A line that is none becomes one that stands at no place. */
export const parseKeptCheckpoint = (line: string): KeptCheckpoint => {
  const { number, size, note } = objectIn(line);
  return typeof number === 'number' && typeof size === 'number' && typeof note === 'string'
    ? { number, size, note }
    : { number: Number.NaN, size: Number.NaN, note: '' };
};

export type KeptRoots = {
  /** The size of the next one. */
  readonly peek: () => Promise<number | undefined>;
  /** Judges all of this size; what is wrong with the first that does not hold. */
  readonly check: (size: number, root: Uint8Array) => Promise<string | undefined>;
  /** Judges what is left once the tree has grown to `newest`. */
  readonly ended: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
};

export const keptRoots = (kept: AsyncIterable<KeptCheckpoint>, keys: readonly NoteKey[], newest: number): KeptRoots => {
  const iterator = kept[Symbol.asyncIterator]();
  let next: KeptCheckpoint | undefined;
  let ended = false;
  let number = 0;
  let reached = -1;
  const peek = async (): Promise<KeptCheckpoint | undefined> => {
    if (next !== undefined || ended) return next;
    const { value, done } = await iterator.next();
    if (done === true) ended = true;
    else next = value;
    return next;
  };
  const check = async (size: number, root: Uint8Array): Promise<string | undefined> => {
    for (let one = await peek(); one?.size === size; one = await peek()) {
      next = undefined;
      if (one.number !== ++number) return `the kept checkpoint ${number} is missing; ${one.number} follows`;
      const opened = await openCheckpoint(one.note, keys);
      if (opened.outcome === 'refused') return `the kept checkpoint ${one.number} does not hold: ${opened.why}`;
      if (opened.checkpoint.size !== size) return `the kept checkpoint ${one.number} is not of size ${size}`;
      if (!equalBytes(opened.checkpoint.root, root))
        return `fork: the first ${size} entries are not those of the kept checkpoint ${one.number}, which is signed`;
      reached = size;
    }
    return undefined;
  };
  return {
    peek: async () => (await peek())?.size,
    check,
    close: async () => void (await iterator.return?.()),
    ended: async () => {
      const one = await peek();
      // Whatever is larger than the newest has been signed since it was asked for.
      if (one !== undefined && !(one.size > newest)) return `the kept checkpoint ${one.number} is out of order`;
      return reached === newest ? undefined : `the checkpoint of size ${newest} is not among those that are kept`;
    },
  };
};
