/**
 * Schedules by the thousand. As a program: `node check.ts <schedules> <seed>`, with a line of progress at every tenth; `--first` ends with
 * the first schedule that fails and does not look for a shorter one.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { nothingTold, play, type Told } from './play.ts';
import { stepMax } from './steps.ts';

/** Rejects with the shortest failing schedule that was found, and its seed. */
export const checkSchedules = async (
  schedules: number,
  seed: number,
  { progress = () => {}, first = false }: { readonly progress?: (done: number) => void; readonly first?: boolean } = {},
): Promise<Told> => {
  const told = nothingTold();
  let done = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(stepMax), { minLength: 20, maxLength: 100, size: 'max' }), async (steps) => {
      await play(steps, told);
      progress(++done);
    }),
    { numRuns: schedules, seed, endOnFailure: first },
  );
  return told;
};

if (import.meta.main) {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { first: { type: 'boolean' } } });
  const [schedules = 1_000, seed = 1] = positionals.map(Number);
  const every = Math.max(1, Math.floor(schedules / 10));
  const told = await checkSchedules(schedules, seed, {
    first: values.first ?? false,
    progress: (done) => {
      if (done % every === 0) process.stdout.write(`seed ${seed}: ${done} of ${schedules} schedules\n`);
    },
  });
  process.stdout.write(`seed ${seed}: ${JSON.stringify(told)}\n`);
}
