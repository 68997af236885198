/** Subjects, groups, roles, services and endpoints by part of their names. */
import { decodeId, type Organisation } from '@postern/schemas';

export const nameKinds = ['user', 'workload', 'credential', 'group', 'role', 'service', 'endpoint'] as const;
export type NameKind = (typeof nameKinds)[number];
export type Named = { readonly kind: NameKind; readonly name: string; readonly says?: string };

type Found = Named & { readonly rank: number };

/** The best `limit` of those that hold `text` anywhere, whatever the case: whole names first, then beginnings. */
export const findNames = (
  organisation: Organisation,
  text: string,
  { kind, limit }: { readonly kind?: NameKind | undefined; readonly limit: number },
): { readonly items: readonly Named[]; readonly more: boolean } => {
  const wanted = text.trim().toLowerCase();
  const found: Found[] = [];
  for (const { says, ...named } of everything(organisation, kind)) {
    const rank = Math.min(
      rankOf(asWritten(named.name), wanted),
      rankOf(named.name, wanted),
      says === undefined ? none : rankOf(says, wanted) + 3,
    );
    if (rank < none) found.push({ ...named, ...(says !== undefined && { says }), rank });
  }
  found.sort((a, b) => a.rank - b.rank || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
  return { items: found.slice(0, limit).map(({ rank: _, ...each }) => each), more: found.length > limit };
};

/** Letters of any script stand encoded in an id; people look for what they can read. */
const asWritten = (name: string): string => {
  if (!name.includes('=')) return name;
  try {
    const at = name.search(/[:/]/) + 1;
    return name.slice(0, at) + decodeId(name.slice(at));
  } catch {
    return name;
  }
};

const none = 9;
const rankOf = (name: string, wanted: string): number => {
  const lower = name.toLowerCase();
  const id = lower.slice(lower.search(/[:/]/) + 1);
  if (lower === wanted || id === wanted) return 0;
  if (lower.startsWith(wanted) || id.startsWith(wanted)) return 1;
  return lower.includes(wanted) ? 2 : none;
};

function* everything(organisation: Organisation, kind: NameKind | undefined): Generator<Named> {
  const is = (each: NameKind): boolean => kind === undefined || kind === each;
  for (const [name, { state }] of organisation.principals) {
    const type = name.startsWith('user:') ? 'user' : 'workload';
    if (is(type)) yield { kind: type, name, ...(state !== 'active' && { says: state }) };
  }
  if (is('credential'))
    for (const { id, owner } of organisation.credentials.values()) yield { kind: 'credential', name: id, says: owner };
  if (is('group')) for (const name of organisation.groups.names()) yield { kind: 'group', name };
  if (is('role'))
    for (const [name, { description }] of organisation.roles)
      yield { kind: 'role', name, ...(description !== undefined && { says: description }) };
  for (const { name, mount, endpoints } of organisation.services.values()) {
    if (is('service')) yield { kind: 'service', name, says: mount };
    if (is('endpoint'))
      for (const { id, method, template } of endpoints)
        yield { kind: 'endpoint', name: id, says: `${method} ${mount}${template}` };
  }
}
