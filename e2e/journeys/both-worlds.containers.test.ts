/** The same journeys in the distributed world: two gates, each room by itself, Kafka, SpiceDB and PostgreSQL. */
import { distributedWorld } from '../world/distributed.ts';
import { journeys } from './both-worlds.ts';
import { staged } from './staging.ts';

journeys(staged(() => distributedWorld()));
