/** The journeys that both worlds take, in one world each. */
import type { World } from '../world/world.ts';
import { accessJourneys } from './access.ts';
import { eventJourneys } from './events.ts';
import { feedJourneys } from './feeds.ts';
import { objectJourneys } from './objects.ts';
import { operationJourneys } from './operations.ts';
import { recordJourneys } from './record.ts';
import { revocationJourneys } from './revocations.ts';
import { signalJourneys } from './signals.ts';
import { traceJourneys } from './trace.ts';

export const journeys = (world: () => World): void => {
  accessJourneys(world);
  objectJourneys(world);
  operationJourneys(world);
  eventJourneys(world);
  feedJourneys(world);
  signalJourneys(world);
  traceJourneys(world);
  revocationJourneys(world);
  recordJourneys(world);
};
