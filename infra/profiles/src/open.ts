/** A URL chooses the backend: `postgres://…`, `file:DIR` (the file is DIR/profiles.sqlite), `memory:`. */
import { join } from 'node:path';
import { Problem } from '@postern/schemas';
import type { ProfileStore } from './port.ts';
import type { SealedStore } from './sealed/port.ts';
import { openSqliteSealed } from './sqlite/sealed.ts';
import { openSqliteProfiles } from './sqlite/store.ts';

/** The caller owns what it gets. Rejects with `grants/profiles-unreachable`, or `runtime/bad-config` for another scheme. */
export const openProfileStore = async (url: string): Promise<ProfileStore> => {
  const scheme = url.slice(0, url.indexOf(':') + 1);
  switch (scheme) {
    case 'memory:':
      return openSqliteProfiles(':memory:');
    case 'file:':
      return openSqliteProfiles(join(url.slice('file:'.length).replace(/^\/\/(?=\/)/, ''), 'profiles.sqlite'));
    case 'postgres:':
    case 'postgresql:':
      // Only who keeps profiles in PostgreSQL loads its client.
      return (await import('./postgres/store.ts')).openPostgresProfiles(url);
    default:
      throw new Problem('runtime/bad-config', {
        detail: `profiles: no store is reached by "${scheme}"`,
        fix: 'Write postgres://…, file:DIR or memory:.',
      });
  }
};

/** The texts of facts, in the database of the profiles. The same URLs, and the same problems. */
export const openSealedStore = async (url: string): Promise<SealedStore> => {
  const scheme = url.slice(0, url.indexOf(':') + 1);
  switch (scheme) {
    case 'memory:':
      return openSqliteSealed(':memory:');
    case 'file:':
      return openSqliteSealed(join(url.slice('file:'.length).replace(/^\/\/(?=\/)/, ''), 'profiles.sqlite'));
    default:
      // The profiles, which are opened before it, have named every other scheme.
      return (await import('./postgres/sealed.ts')).openPostgresSealed(url);
  }
};
