/** The life of access in the distributed world. */
import { distributedWorld } from '../world/distributed.ts';
import { lifeOfAccessJourneys } from './life-of-access.ts';
import { staged } from './staging.ts';

lifeOfAccessJourneys(staged(() => distributedWorld()));
