/** A URL chooses the backend: `postgres://…`, `file:DIR` (the file is DIR/audit.sqlite), `memory:`. */
import { join } from 'node:path';
import { Problem } from '@postern/schemas';
import { noTelemetry, type Telemetry } from '@postern/telemetry';
import { observed } from './observed.ts';
import type { AuditStore } from './port.ts';
import { openSqliteAuditStore } from './sqlite/store.ts';

/** The caller owns what it gets. Rejects with `audit/store-unreachable`, or `runtime/bad-config` for another scheme. */
export const openAuditStore = async (
  url: string,
  telemetry: Telemetry = noTelemetry,
  /** PostgreSQL: of the role that owns the tables, makes them and gives the role of `url` what it needs, and no more. */
  ownerUrl?: string,
): Promise<AuditStore> => observed(await openBackend(url, ownerUrl), telemetry);

const openBackend = async (url: string, ownerUrl: string | undefined): Promise<AuditStore> => {
  const scheme = url.slice(0, url.indexOf(':') + 1);
  switch (scheme) {
    case 'memory:':
      return openSqliteAuditStore(':memory:');
    case 'file:':
      return openSqliteAuditStore(auditFile(url));
    case 'postgres:':
    case 'postgresql:':
      // Only who keeps the record in PostgreSQL loads its client.
      return (await import('./postgres/store.ts')).openPostgresAuditStore(url, ownerUrl);
    default:
      throw new Problem('runtime/bad-config', {
        detail: `auditStore: no audit store is reached by "${scheme}"`,
        fix: 'Write postgres://…, file:DIR or memory:.',
      });
  }
};

/** `file:DIR` and `file:DIR/audit.sqlite` name the same file; `file:///…` is taken too. */
const auditFile = (url: string): string => {
  const path = url.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
  return path.endsWith('.sqlite') ? path : join(path, 'audit.sqlite');
};
