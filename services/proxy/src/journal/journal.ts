/**
 * The journal of decisions beside the log. Each decision is in it before its request passes, so that the end of the process loses
 * nothing; while the log is away it is also brought to the disk, many decisions at a time, so that the end of the machine loses
 * little. See docs/adr/0027-the-journal-of-decisions.md.
 */
import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type FrameKind, framesIn, frameWriter } from './frames.ts';
import { type LeftBatch, leftIn, runsIn } from './left-behind.ts';
import { abandonedSlots, ownSlot } from './slots.ts';

/** Where the lines of a batch lie. */
export type Place = { readonly file: number; readonly from: number; readonly to: number };

export type Journal = Disposable & {
  /** Whose decisions come now. Before the first {@link Journal.line}. */
  readonly begin: (instance: string) => void;
  /** Undefined once the lines are written, so that the end of this process does not lose them; else why none of them could be. */
  readonly line: (...texts: readonly string[]) => string | undefined;
  /** The lines since the last one are the batch of this number; a place where they can be read again. */
  readonly close: (number: number) => Place;
  readonly lines: (place: Place) => string[];
  /** The log has the batches up to this number: files in which nothing else is are removed. */
  readonly acknowledged: (number: number) => void;
  /** Brings to the disk what was written so far, off this thread; one at a time, and what is asked for meanwhile together. */
  readonly sync: () => void;
  /** Of this run, in files. */
  readonly bytes: () => number;
  /** What earlier runs left: each with what removes it once the log has it. */
  readonly left: readonly LeftRun[];
};
export type LeftRun = {
  readonly batches: () => Iterable<LeftBatch>;
  readonly count: number;
  readonly remove: () => void;
};

type Segment = { readonly path: string; readonly handle: number; bytes: number; lastBatch: number };

/** A file is removed once all of it is in the log: this is how much is written again, at most, after the process was killed. */
const segmentBytesMax = 8_388_608;

/** `root` is a folder of the journal alone; gates may share it. Throws what the file system does. */
export const openJournal = (
  root: string,
  { segmentBytes = segmentBytesMax }: { readonly segmentBytes?: number } = {},
): Journal => {
  const slot = ownSlot(root);
  const held = [slot, ...abandonedSlots(root, slot)];
  const frame = frameWriter();
  const segments = new Map<number, Segment>();
  let instance = '';
  let current: Segment | undefined;
  let number = 0;
  let batchFrom = 0;
  let lastBatch = 0;
  /** Ends of batches that a full disk has not taken yet: no line may come before them. */
  let owed: string[] = [];
  let syncing = false;
  let syncAgain = false;

  const left = held.flatMap(({ folder }) =>
    runsIn(folder).map((files): LeftRun => {
      let count = 0;
      for (const batch of leftIn(files)) count += batch.count;
      return { batches: () => leftIn(files), count, remove: () => files.forEach((file) => void unlinkSync(file)) };
    }),
  );

  /** All of it or nothing: what a full disk takes of a frame would hide the frames behind it. */
  const append = (segment: Segment, bytes: Uint8Array): void => {
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(segment.handle, bytes, done, bytes.length - done, segment.bytes + done);
      segment.bytes += bytes.length;
    } catch (error) {
      ftruncateSync(segment.handle, segment.bytes);
      throw error;
    }
  };
  const open = (): Segment => {
    const path = join(slot.folder, `${instance}.${String(++number).padStart(10, '0')}.journal`);
    const segment = { path, handle: openSync(path, 'wx+', 0o600), bytes: 0, lastBatch: 0 };
    try {
      append(segment, frame('I', JSON.stringify([instance, lastBatch])));
    } catch (error) {
      closeSync(segment.handle);
      unlinkSync(path);
      number--;
      throw error;
    }
    segments.set(number, segment);
    batchFrom = segment.bytes;
    return segment;
  };
  const mark = (kind: FrameKind, text: string): void => {
    if (current === undefined || owed.length > 0) return;
    try {
      append(current, frame(kind, text));
    } catch {
      // A mark that is missing lets a batch be published once more, and the reader knows it by its number.
    }
  };
  const payOwed = (): void => {
    if (current === undefined) return;
    for (const number of [...owed]) {
      append(current, frame('B', number));
      owed = owed.slice(1);
      batchFrom = current.bytes;
    }
    // A batch lies in one file.
    if (current.bytes >= segmentBytes && batchFrom === current.bytes) current = undefined;
  };
  const drop = (segment: Segment, at: number): void => {
    segments.delete(at);
    closeSync(segment.handle);
    unlinkSync(segment.path);
  };
  const sync = (): void => {
    if (syncing) {
      syncAgain = true;
      return;
    }
    const dirty = [...segments.values()];
    let waiting = dirty.length;
    if (waiting === 0) return;
    syncing = true;
    for (const { handle } of dirty)
      fdatasync(handle, () => {
        if (--waiting > 0) return;
        syncing = false;
        if (!syncAgain) return;
        syncAgain = false;
        sync();
      });
  };

  return {
    begin: (name) => {
      instance = name;
    },
    line: (...texts) => {
      try {
        payOwed();
        current ??= open();
        append(current, frame('L', ...texts));
        return undefined;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? String(error);
        return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
          ? "the disk of the gate's journal is full"
          : `the gate's journal cannot be written: ${code}`;
      }
    },
    close: (batch) => {
      if (current === undefined) throw new TypeError('a batch has lines');
      const place = { file: number, from: batchFrom, to: current.bytes };
      lastBatch = batch;
      current.lastBatch = batch;
      owed.push(String(batch));
      try {
        payOwed();
      } catch {
        // The next line finds out, and is refused.
      }
      return place;
    },
    lines: ({ file, from, to }) => {
      const segment = segments.get(file);
      const bytes = Buffer.alloc(to - from);
      if (segment === undefined || readSync(segment.handle, bytes, 0, bytes.length, from) < bytes.length)
        throw new Error('the journal has lost a batch that waits for the log');
      return [...framesIn(bytes)].flatMap(({ kind, text }) => (kind === 'L' ? [text] : []));
    },
    acknowledged: (batch) => {
      mark('A', String(batch));
      for (const [at, segment] of segments) if (segment !== current && segment.lastBatch <= batch) drop(segment, at);
    },
    sync,
    bytes: () => {
      let sum = 0;
      for (const segment of segments.values()) sum += segment.bytes;
      return sum;
    },
    left,
    [Symbol.dispose]: () => {
      for (const [at, segment] of segments) {
        // Whatever waits for the log stays for the next run.
        const waits = [...leftIn([segment.path])].length > 0;
        if (waits) {
          fdatasyncSync(segment.handle);
          closeSync(segment.handle);
        } else drop(segment, at);
      }
      segments.clear();
      current = undefined;
      for (const each of held) each[Symbol.dispose]();
    },
  };
};
