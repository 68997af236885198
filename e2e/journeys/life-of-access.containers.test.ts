/** The life of access in the distributed world, with two instances of grants: the second gate sends its calls to the second. */
import { distributedWorld } from '../world/distributed.ts';
import { erasureJourneys } from './erasure.ts';
import { lifeOfAccessJourneys } from './life-of-access.ts';
import { noticeJourneys } from './notices.ts';
import { provisioningJourneys } from './provisioning.ts';
import { staged } from './staging.ts';

const world = staged(() => distributedWorld({ grants: 2 }));
lifeOfAccessJourneys(world);
provisioningJourneys(world);
erasureJourneys(world);
noticeJourneys(world);
