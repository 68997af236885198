/**
 * What engineers publish: the schema and the routes. Larger than one log entry at times, so they come in parts of one
 * append (an append is admitted whole); the last part makes the whole take effect.
 */
import { z } from 'zod';
import { ServiceName } from '../ids.ts';
import { Endpoint } from '../routes/endpoint.ts';
import { provenance } from './provenance.ts';

const parts = { part: z.number().int().min(1), parts: z.number().int().min(1), digest: z.string() };

export const SchemaPublished = z.strictObject({ text: z.string(), ...parts, ...provenance });
/** All endpoints of one service; a service that publishes none is withdrawn. */
export const RoutesPublished = z.strictObject({
  service: ServiceName,
  mount: z.string(),
  endpoints: z.array(Endpoint),
  ...parts,
  ...provenance,
});
