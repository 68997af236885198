/** The life of access in the embedded world. */
import { embeddedWorld } from '../world/one-process.ts';
import { lifeOfAccessJourneys } from './life-of-access.ts';
import { staged } from './staging.ts';

lifeOfAccessJourneys(staged(embeddedWorld));
