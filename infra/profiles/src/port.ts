/**
 * Profiles: the documents that identity systems write of people and groups. Beside the log on purpose: the log is for ever, and a
 * name or an address has to be erasable. No decision is made by anything in here; see docs/adr/0018.
 *
 * The comments are promises; conformance.ts keeps them for every backend.
 */
/** `Notice`: how far a subscription to notices has come; it is here because it too changes all the time and is nothing that happened. */
export type ProfileKind = 'User' | 'Group' | 'Notice';

export type Profile = {
  readonly kind: ProfileKind;
  /** Given once, never to another one. */
  readonly id: string;
  /** Unique among profiles of the kind, in whatever spelling the caller compares by; groups have none. */
  readonly userName?: string;
  readonly externalId?: string;
  readonly displayName?: string;
  /** JSON. */
  readonly document: string;
  /** 1 for a new one; each write adds one. */
  readonly version: number;
  /** ms since the epoch. */
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  /** The head of the facts log when it was written last: what happened behind it is later than the profile. */
  readonly writtenAt: number;
};

export type ProfileChange =
  | { readonly change: 'insert'; readonly profile: Profile }
  /** `profile.version` is `expected + 1`. */
  | { readonly change: 'update'; readonly profile: Profile; readonly expected: number }
  | { readonly change: 'delete'; readonly kind: ProfileKind; readonly id: string; readonly expected: number };

/** `moved`: it is not at the version expected, or is gone, or was there already. `taken`: another one has the userName. */
export type Written = 'written' | 'moved' | 'taken';

export type ProfileKey = 'id' | 'userName' | 'externalId' | 'displayName';

export interface ProfileStore extends AsyncDisposable {
  /** All that have one of the values; names are compared as they were given. */
  find(kind: ProfileKind, key: ProfileKey, values: readonly string[]): Promise<readonly Profile[]>;
  /** In the order of ids: those behind `after`, or all but the first `skip`. */
  page(kind: ProfileKind, from: { after: string } | { skip: number }, limit: number): Promise<readonly Profile[]>;
  count(kind: ProfileKind): Promise<number>;
  /** Each change stands or falls alone; those that stand are durable when it resolves. A deleted profile's bytes are overwritten. */
  write(changes: readonly ProfileChange[]): Promise<readonly Written[]>;
}
