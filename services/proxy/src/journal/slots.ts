/**
 * Gates that share a data folder each have a folder of their own in it: the first that no living process holds. The hold is a lock
 * of SQLite on a file, which ends with the process however it ends; a number of a process could be another's by then.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export type Slot = Disposable & { readonly folder: string };

/** Undefined where a living process holds it. Throws what the file system does. */
const hold = (folder: string): Slot | undefined => {
  mkdirSync(folder, { recursive: true });
  const lock = new DatabaseSync(join(folder, 'lock'));
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return { folder, [Symbol.dispose]: () => lock.close() };
  } catch (error) {
    lock.close();
    if (error instanceof Error && /locked/.test(error.message)) return undefined;
    throw error;
  }
};

/** The first free folder. */
export const ownSlot = (root: string): Slot => {
  for (let number = 1; ; number++) {
    const slot = hold(join(root, String(number)));
    if (slot !== undefined) return slot;
  }
};

/** Whatever nobody holds and something was left in. */
export const abandonedSlots = (root: string, own: Slot): Slot[] =>
  readdirSync(root)
    .map((name) => join(root, name))
    .filter((folder) => folder !== own.folder && readdirSync(folder).some((name) => name.endsWith('.journal')))
    .flatMap((folder) => hold(folder) ?? []);
