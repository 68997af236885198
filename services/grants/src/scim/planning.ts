/**
 * What a change means: the profile as it would be, and the command that says so in facts. Looked up for many changes at once, decided
 * for each by itself; nothing is written here.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Profile, ProfileKind, ProfileStore } from '@postern/profiles';
import type { Clock } from '@postern/runtime';
import type { Member, Problem } from '@postern/schemas';
import type { Command } from '../decide/command.ts';
import type { GrantsState } from '../state.ts';
import type { Together } from '../together.ts';
import { enterpriseUrn } from './definitions.ts';
import { changedSince, notFound, notUnique, refuse } from './failures.ts';
import { editOf, type MemberEdit, type Named, readMembers } from './members.ts';
import { type Operation, patched, readPatch } from './patch.ts';
import { asObject } from './paths.ts';
import { attributesOf, groupOf, newId, principalOf, type ScimConfig } from './people.ts';
import { type Document, readResource } from './read.ts';
import { shown } from './show.ts';

export type Change = {
  readonly kind: ProfileKind;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Of every method but POST. */
  readonly id?: string | undefined;
  readonly body?: unknown;
  readonly ifMatch?: string | undefined;
  readonly base: string;
  /** What a creation is called where nothing in it names it: others in the same Bulk may have been told already. */
  readonly idMade?: string | undefined;
};

export type ChangesDeps = {
  readonly profiles: ProfileStore;
  readonly together: Together;
  readonly state: GrantsState;
  readonly clock: Clock;
};

export type Plan = {
  readonly change: Change;
  readonly before: Profile | undefined;
  readonly after: Profile;
  readonly command: Command | undefined;
  readonly status: 200 | 201 | 204;
};

export type ReadChange = {
  readonly change: Change;
  /** The id it is about, or would have. */
  readonly id: string;
  readonly made: boolean;
  readonly document?: Document;
  readonly operations?: readonly Operation[];
};

export const readChange = (change: Change, config: ScimConfig, nowMs: number): ReadChange => {
  const { kind, method, body, id } = change;
  if (method === 'POST') {
    const document = readResource(kind, body);
    const { id: own, made } = newId(kind, document, config, nowMs);
    return { change, document, made, id: made ? (change.idMade ?? own) : own };
  }
  const known = { change, id: id ?? '', made: false };
  if (method === 'PUT') return { ...known, document: readResource(kind, body) };
  return method === 'PATCH' ? { ...known, operations: readPatch(kind, body) } : known;
};

export type Known = {
  readonly byId: (kind: ProfileKind, id: string) => Profile | undefined;
  readonly byUserName: (name: string) => Profile | undefined;
  /** Of members that no fact knows: those who have a profile, and so are inactive. */
  readonly inactive: ReadonlySet<string>;
};

/** Compared without regard to case (RFC 7643 §4.1.1). */
export const folded = (name: string): string => name.normalize('NFC').toLowerCase();

export const lookUp = async (read: readonly ReadChange[], { profiles, state }: ChangesDeps): Promise<Known> => {
  const found = new Map<string, Profile>();
  const names = new Map<string, Profile>();
  for (const kind of ['User', 'Group'] as const) {
    const ids = read.filter(({ change }) => change.kind === kind).map(({ id }) => id);
    if (ids.length === 0) continue;
    for (const profile of await profiles.find(kind, 'id', ids)) found.set(`${kind} ${profile.id}`, profile);
  }
  const userNames = read.flatMap(({ change, document }) =>
    change.kind === 'User' && typeof document?.['userName'] === 'string' ? [folded(document['userName'])] : [],
  );
  if (userNames.length > 0)
    for (const profile of await profiles.find('User', 'userName', userNames))
      names.set(profile.userName ?? '', profile);
  const { principals, groups } = state.organisation;
  const strangers = read
    .flatMap((item) => membersNamed(item))
    .filter(({ id }) => !principals.has(principalOf(id)) && !groups.has(groupOf(id)))
    .map(({ id }) => id);
  const inactive = strangers.length === 0 ? [] : await profiles.find('User', 'id', strangers);
  return {
    byId: (kind, id) => found.get(`${kind} ${id}`),
    byUserName: (name) => names.get(folded(name)),
    inactive: new Set(inactive.map(({ id }) => id)),
  };
};

const membersNamed = ({ change, document, operations }: ReadChange): readonly Named[] => {
  if (change.kind !== 'Group') return [];
  const named = document === undefined ? (editOf(operations ?? [], () => [])?.add ?? []) : readMembers(document);
  return named.filter(({ id }) => /^[A-Za-z0-9/_|+=-]{1,512}$/.test(id));
};

export const plan = (item: ReadChange, known: Known, deps: ChangesDeps): Plan => {
  const { change } = item;
  const before = known.byId(change.kind, item.id);
  if (change.method === 'POST') return planCreation(item, known, deps);
  if (before === undefined) throw notFound(`there is no ${change.kind} ${item.id}`);
  requireMatch(change, before, deps);
  if (change.method === 'DELETE') {
    const command: Command | undefined =
      change.kind === 'User'
        ? { kind: 'provision', principal: principalOf(item.id), reason: 'deleted by SCIM' }
        : deps.state.organisation.groups.has(groupOf(item.id))
          ? { kind: 'delete-group', group: groupOf(item.id), reason: 'deleted by SCIM' }
          : undefined;
    return { change, before, after: before, command, status: 204 };
  }
  const written = JSON.parse(before.document) as Document;
  const current = change.kind === 'User' ? asShown(before, deps, change.base) : written;
  const document = item.document ?? patched(change.kind, current, ofDocument(item.operations ?? []));
  const kept = settled(change.kind, document);
  const renamed = typeof kept['userName'] === 'string' ? known.byUserName(kept['userName']) : undefined;
  if (change.kind === 'User' && renamed !== undefined && renamed.id !== before.id) throw nameTaken(renamed);
  return {
    change,
    before,
    after: isDeepStrictEqual(kept, written) ? before : nextVersion(before, kept, deps),
    command: commandFor(item, kept, known, deps),
    status: 200,
  };
};

/** As it is kept: without members, which are facts, and with what can be said in two ways said in one. */
const settled = (kind: ProfileKind, { members: _, ...document }: Document): Document => {
  if (kind === 'Group') return document;
  const enterprise = asObject(document[enterpriseUrn]);
  const { $ref, ...manager } = asObject(enterprise?.['manager']) ?? {};
  if (manager['value'] === undefined && typeof $ref === 'string')
    manager['value'] = $ref.slice($ref.lastIndexOf('/') + 1);
  return {
    ...document,
    ...(enterprise?.['manager'] !== undefined && { [enterpriseUrn]: { ...enterprise, manager } }),
  };
};

/** What a PATCH goes on from: as the facts have it, without what nobody writes. */
const asShown = (profile: Profile, { state }: ChangesDeps, base: string): Document => {
  const { schemas: _s, id: _i, meta: _m, groups: _g, ...body } = shown(profile, state.organisation, base);
  return body;
};

const ofDocument = (operations: readonly Operation[]): readonly Operation[] =>
  operations.filter(({ target }) => target.attribute?.name !== 'members');

const planCreation = (item: ReadChange, known: Known, deps: ChangesDeps): Plan => {
  const { change, document = {} } = item;
  const { organisation } = deps.state;
  const kept: Document = {
    ...settled(change.kind, document),
    ...(change.kind === 'User' && { active: document['active'] !== false }),
  };
  const sameName = typeof kept['userName'] === 'string' ? known.byUserName(kept['userName']) : undefined;
  const unfinished = (profile: Profile): boolean => isUnfinished(profile, deps);
  if (
    change.kind === 'User' &&
    sameName !== undefined &&
    !(unfinished(sameName) && (item.made || sameName.id === item.id))
  )
    throw nameTaken(sameName);
  // A creation that broke off is gone on with, under the id that it had.
  const id = item.made && sameName !== undefined ? sameName.id : item.id;
  const before = sameName ?? known.byId(change.kind, id);
  if (before !== undefined && !unfinished(before))
    throw notUnique(
      `there is a ${change.kind} ${id} already`,
      'An id is given once: look for it by externalId or userName, and change that one.',
    );
  const now = deps.clock.now();
  const after: Profile =
    before === undefined
      ? {
          ...columns(change.kind, id, kept),
          version: 1,
          createdAtMs: now,
          modifiedAtMs: now,
          writtenAt: organisation.sequence,
        }
      : nextVersion(before, kept, deps);
  return { change, before, after, command: commandFor({ ...item, id }, kept, known, deps), status: 201 };
};

/** Written, and never followed by its facts: the process ended between the two. */
const isUnfinished = ({ kind, id, document, writtenAt }: Profile, { state }: ChangesDeps): boolean => {
  if (kind === 'Group') return !state.organisation.groups.has(groupOf(id));
  const principal = state.organisation.principals.get(principalOf(id));
  return (
    (JSON.parse(document) as Document)['active'] === true &&
    principal?.state !== 'active' &&
    (principal?.since ?? 0) <= writtenAt
  );
};

const commandFor = (
  { change, id, document, operations }: ReadChange,
  kept: Document,
  known: Known,
  { state }: ChangesDeps,
): Command | undefined => {
  if (change.kind === 'User') {
    const attributes = attributesOf(kept);
    const principal = principalOf(id);
    // Left out, it changes nothing: nobody comes back because a client does not speak of it.
    const active = kept['active'] ?? state.organisation.principals.get(principal)?.state === 'active';
    return { kind: 'provision', principal, ...(active === true && { attributes }) };
  }
  const group = groupOf(id);
  const edit: MemberEdit | undefined =
    document === undefined
      ? editOf(operations ?? [], () => [...state.organisation.groups.direct(group)])
      : { exact: true, add: readMembers(document), remove: [] };
  if (edit === undefined) return undefined;
  return {
    kind: 'shape-group',
    group,
    exact: edit.exact,
    add: edit.add.flatMap((named) => memberOf(named, known, state) ?? []),
    remove: edit.remove.flatMap((named) => [principalOf(named), groupOf(named)]),
  };
};

/** Undefined: a User who is not active, and so is in no group. */
const memberOf = ({ id, kind }: Named, known: Known, { organisation }: GrantsState): Member | undefined => {
  const principal = principalOf(id);
  if (kind !== 'Group' && organisation.principals.has(principal)) return principal;
  if (kind !== 'User' && organisation.groups.has(groupOf(id))) return groupOf(id);
  if (kind !== 'Group' && known.inactive.has(id)) return undefined;
  throw refuse('invalidValue', `the member ${id} is neither a User nor a Group here`);
};

const requireMatch = ({ ifMatch, base }: Change, profile: Profile, { state }: ChangesDeps): void => {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  const { version } = shown(profile, state.organisation, base)['meta'] as { version: string };
  if (!tagsIn(ifMatch).includes(version)) throw changedSince(`its version is ${version} now, not ${ifMatch}`);
};

/** Entity tags of a header, compared weakly: a strong one matches its weak sister (RFC 7644 §3.14). */
export const tagsIn = (header: string): string[] =>
  [...header.matchAll(/(?:W\/)?"([^"]*)"/g)].map(([, tag]) => `W/"${tag}"`);

const columns = (kind: ProfileKind, id: string, document: Document) => {
  const { userName, externalId, displayName } = document;
  return {
    kind,
    id,
    ...(kind === 'User' && typeof userName === 'string' && { userName: folded(userName) }),
    ...(typeof externalId === 'string' && { externalId }),
    ...(typeof displayName === 'string' && { displayName: folded(displayName) }),
    document: JSON.stringify(document),
  };
};

const nextVersion = (
  { kind, id, version, createdAtMs }: Profile,
  document: Document,
  { clock, state }: ChangesDeps,
): Profile => ({
  ...columns(kind, id, document),
  version: version + 1,
  createdAtMs,
  modifiedAtMs: clock.now(),
  writtenAt: state.organisation.sequence,
});

export const nameTaken = ({ id }: Profile): Problem =>
  notUnique(`the userName is that of the User ${id}`, 'Rename or delete that one first.');
