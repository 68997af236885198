/**
 * How far a subscription has come, and who delivers it: kept beside the log, changed by compare-and-set, so that one instance has it at a
 * time and nobody writes over what another one has written.
 */
import type { ProfileStore } from '@postern/profiles';
import type { Sequence } from '@postern/schemas';
import { z } from 'zod';

const Place = z.object({
  /** Everything up to here is settled. */
  after: z.number().int().nonnegative(),
  /** Who delivers, and until when (ms) nobody else does. */
  holder: z.object({ by: z.string(), until: z.number() }).optional(),
  /** Attempts that failed since the last one that did not. */
  failing: z
    .object({
      sequence: z.number(),
      attempts: z.number(),
      since: z.string(),
      /** ms since the epoch. */
      nextAt: z.number(),
      why: z.string(),
      status: z.number().optional(),
    })
    .optional(),
  /** The receiver at this address wants no more. */
  disabled: z.object({ url: z.string(), why: z.string(), at: z.string() }).optional(),
  delivered: z.number().default(0),
  lastDelivered: z.object({ sequence: z.number(), at: z.string() }).optional(),
  givenUp: z.number().default(0),
  lastGivenUp: z.object({ sequence: z.number(), at: z.string(), why: z.string() }).optional(),
  /** From when on (ms) the days of trying count, where that is later than the fact: it was sent for again. */
  replayedAt: z.number().optional(),
});
export type Place = z.infer<typeof Place>;
export type Held = { readonly place: Place; readonly version: number };

export type Places = {
  readonly read: (name: string) => Promise<Held | undefined>;
  /** Undefined where somebody else wrote meanwhile. `version` 0: there was none. */
  readonly write: (name: string, place: Place, version: number) => Promise<Held | undefined>;
  /** Reads, changes, writes, and again until it stands. `head`: where a new subscription begins. */
  readonly change: (name: string, head: Sequence, change: (place: Place) => Place) => Promise<Place>;
};

export const beginningAt = (head: Sequence): Place => ({ after: head, delivered: 0, givenUp: 0 });

export const places = (store: Pick<ProfileStore, 'find' | 'write'>, nowMs: () => number): Places => {
  const read: Places['read'] = async (name) => {
    const [found] = await store.find('Notice', 'id', [name]);
    return found === undefined ? undefined : { place: Place.parse(JSON.parse(found.document)), version: found.version };
  };
  const write: Places['write'] = async (name, place, version) => {
    const now = nowMs();
    const profile = {
      kind: 'Notice',
      id: name,
      document: JSON.stringify(place),
      version: version + 1,
      createdAtMs: now,
      modifiedAtMs: now,
      writtenAt: place.after,
    } as const;
    const [written] = await store.write([
      version === 0 ? { change: 'insert', profile } : { change: 'update', profile, expected: version },
    ]);
    return written === 'written' ? { place, version: version + 1 } : undefined;
  };
  return {
    read,
    write,
    change: async (name, head, change) => {
      for (;;) {
        const found = await read(name);
        const written = await write(name, change(found?.place ?? beginningAt(head)), found?.version ?? 0);
        if (written !== undefined) return written.place;
      }
    },
  };
};
