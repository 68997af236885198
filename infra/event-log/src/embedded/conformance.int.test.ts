import { eventLogConformance } from '../conformance.ts';
import type { EventLog } from '../port.ts';
import { openEmbedded } from './open.ts';
import { exceptions, logInFolder } from './trial-folder.ts';

/** One owner: whoever opens it again gets the same door. */
const create = async () =>
  logInFolder((url) => {
    let door: EventLog | undefined;
    return {
      open: async () => {
        door ??= openEmbedded(url);
        return door;
      },
      close: async () => {
        await door?.[Symbol.asyncDispose]();
        door = undefined;
      },
    };
  });
eventLogConformance('embedded', async () => ({ create, [Symbol.asyncDispose]: async () => {} }), exceptions);
