/** The synchronous SHA-256 that logs are hashed with by the million. */
import { hash } from 'node:crypto';
import type { Sha256 } from '@postern/schemas/tlog';

export const sha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');
