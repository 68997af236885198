/** Schedules by the thousand. As a program: `node check.ts <schedules> <seed>`, a line of progress every few thousand. */
import fc from 'fast-check';
import { nothingTold, play, type Told } from './play.ts';
import { stepMax } from './steps.ts';

/** Rejects with the shortest failing schedule that was found, and its seed. */
export const checkSchedules = async (
  schedules: number,
  seed: number,
  progress: (done: number) => void = () => {},
): Promise<Told> => {
  const told = nothingTold();
  let done = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(stepMax), { minLength: 20, maxLength: 140, size: 'max' }), async (steps) => {
      await play(steps, told);
      progress(++done);
    }),
    { numRuns: schedules, seed },
  );
  return told;
};

if (import.meta.main) {
  const [schedules = 1_000, seed = 1] = process.argv.slice(2).map(Number);
  const every = Math.max(1, Math.floor(schedules / 10));
  const told = await checkSchedules(schedules, seed, (done) => {
    if (done % every === 0) process.stdout.write(`seed ${seed}: ${done} of ${schedules} schedules\n`);
  });
  process.stdout.write(`seed ${seed}: ${JSON.stringify(told)}\n`);
}
