/** The journeys in the embedded world: one process, nothing else. */
import { embeddedWorld } from '../world/one-process.ts';
import { journeys } from './both-worlds.ts';
import { staged } from './staging.ts';

journeys(staged(embeddedWorld));
