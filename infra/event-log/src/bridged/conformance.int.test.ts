import { MessageChannel } from 'node:worker_threads';
import { eventLogConformance } from '../conformance.ts';
import { openEmbedded } from '../embedded/open.ts';
import { exceptions, logInFolder } from '../embedded/trial-folder.ts';
import type { EventLog } from '../port.ts';
import { connectedLog } from './connect.ts';
import { servedLogs } from './serve.ts';

/** Any number of doors to one log: each a message port of its own, as each thread has one. */
const create = async () =>
  logInFolder((url) => {
    const served = servedLogs();
    let log: EventLog | undefined;
    let doors: EventLog[] = [];
    return {
      open: async () => {
        log ??= openEmbedded(url, { carrier: served.carrier });
        const { port1, port2 } = new MessageChannel();
        served.serve(log, port1);
        const door = connectedLog(port2);
        doors.push(door);
        return door;
      },
      close: async () => {
        for (const door of doors) await door[Symbol.asyncDispose]();
        doors = [];
        await log?.[Symbol.asyncDispose]();
        log = undefined;
      },
    };
  });
eventLogConformance('bridged', async () => ({ create, [Symbol.asyncDispose]: async () => {} }), exceptions);
