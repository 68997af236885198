/** Waits until the record of decisions has grown: one look at it for everybody who waits. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditReader } from '@postern/audit-store';

/** How often the record is looked at, while somebody waits. */
const lookEveryMs = 250;

export type Growth = {
  /** The size of the record at the next look; rejects where it cannot be read. */
  readonly next: () => Promise<number>;
};

export const growth = (reader: Pick<AuditReader, 'find'>): Growth => {
  let looking: Promise<number> | undefined;
  const look = async (): Promise<number> => {
    await pause(lookEveryMs);
    return (await reader.find('decisions', { limit: 1 })).size;
  };
  return {
    next: () => {
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },
  };
};
