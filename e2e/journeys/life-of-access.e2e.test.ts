/** The life of access in the embedded world. */
import { embeddedWorld } from '../world/one-process.ts';
import { erasureJourneys } from './erasure.ts';
import { lifeOfAccessJourneys } from './life-of-access.ts';
import { noticeJourneys } from './notices.ts';
import { provisioningJourneys } from './provisioning.ts';
import { staged } from './staging.ts';

const world = staged(embeddedWorld);
lifeOfAccessJourneys(world);
provisioningJourneys(world);
erasureJourneys(world);
noticeJourneys(world);
