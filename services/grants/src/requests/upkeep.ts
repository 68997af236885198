/** What time asks for by itself: requests lapse, grants and keys run out, campaigns remind, escalate and close. */
import type { Logger } from '@postern/runtime';
import { isProblem } from '@postern/schemas';
import type { Commands } from '../commands.ts';
import type { Command } from '../decide/command.ts';

const kinds = [
  'expire-grants',
  'warn-of-keys',
  'expire-keys',
  'lapse-requests',
  'settle-break-glass',
  'restore-birthrights',
  'drive-reviews',
] as const satisfies Command['kind'][];
/** A kind that never comes to an end would be a mistake; it goes on at the next round. */
const stepsMax = 500;

/** Each until nothing is left to do. Where one cannot be carried out, its conditions refuse all the same, and the next round tries again. */
export const upkeep = async (commands: Commands, log: Logger): Promise<void> => {
  for (const kind of kinds)
    try {
      for (let step = 0; step < stepsMax; step++) {
        const { facts } = await commands({ command: { kind } });
        if (facts.length === 0) break;
      }
    } catch (error) {
      if (!isProblem(error)) throw error;
      log.warn({ err: error, kind }, 'what time asks for could not be carried out; it is tried again');
    }
};
