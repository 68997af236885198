/** What an earlier run left in its files: the batches that the log had not acknowledged, as they were or would have been published. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { batchBytes } from '../batch.ts';
import { framesIn } from './frames.ts';

export type LeftBatch = {
  readonly instance: string;
  readonly number: number;
  readonly count: number;
  readonly bytes: Uint8Array;
};

const nameOf = /^(.+)[.](\d{10})[.]journal$/;

/** The files of each run, in the order in which they were written. */
export const runsIn = (folder: string): readonly (readonly string[])[] => {
  const runs = new Map<string, string[]>();
  for (const name of readdirSync(folder).sort()) {
    const run = nameOf.exec(name)?.[1];
    if (run !== undefined) runs.set(run, [...(runs.get(run) ?? []), join(folder, name)]);
  }
  return [...runs.values()];
};

/** The decisions of one run that the log has not acknowledged. Files are read one at a time. */
export function* leftIn(files: readonly string[]): Generator<LeftBatch> {
  const acknowledged = files.reduce((highest, file) => Math.max(highest, acknowledgedIn(file)), 0);
  let instance = '';
  let last = acknowledged;
  let lines: string[] = [];
  const batch = (number: number): LeftBatch => ({
    instance,
    number,
    count: lines.length,
    bytes: batchBytes(instance, number, lines),
  });
  for (const file of files) {
    for (const { kind, text } of framesIn(readFileSync(file))) {
      if (kind === 'I') {
        const before: unknown[] = JSON.parse(text);
        instance = String(before[0]);
        last = Math.max(last, Number(before[1]));
      } else if (kind === 'L') lines.push(text);
      else if (kind === 'B') {
        const number = Number(text);
        if (number > acknowledged) yield batch(number);
        last = Math.max(last, number);
        lines = [];
      }
    }
  }
  // It was never published: that comes behind its B.
  if (lines.length > 0) yield batch(last + 1);
}

const acknowledgedIn = (file: string): number => {
  let highest = 0;
  for (const { kind, text } of framesIn(readFileSync(file)))
    if (kind === 'A') highest = Math.max(highest, Number(text));
  return highest;
};
