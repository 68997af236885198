/** Finding: filter, order, pages by index or by cursor (RFC 7644 §3.4.2, RFC 9865), and only the attributes asked for. */
import type { Profile, ProfileKind, ProfileStore } from '@postern/profiles';
import type { Organisation } from '@postern/schemas';
import { z } from 'zod';
import { refuse } from './failures.ts';
import { type Filter, parseFilter } from './filter.ts';
import { compile, type Test } from './match.ts';
import { asObject, placeOf, valuesAt } from './paths.ts';
import { folded } from './planning.ts';
import { type Selection, type Shown, select, shown } from './show.ts';

export const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
/** Resources in one answer. */
export const pageMax = 1_000;
const pageDefault = 100;
/** Sorted lists are held in memory whole; more than this is not sorted but refused. */
const sortedMax = 100_000;
/** Profiles read at once while a filter looks through all of them. */
const chunk = 500;

const whole = z.coerce.number().int();
const names = z.union([
  z.string().transform((text) => text.split(',').map((each) => each.trim())),
  z.array(z.string()),
]);
export const Query = z.object({
  filter: z.string().optional(),
  sortBy: z.string().optional(),
  sortOrder: z.string().optional(),
  startIndex: whole.optional(),
  count: whole.optional(),
  cursor: z.string().optional(),
  attributes: names.optional(),
  excludedAttributes: names.optional(),
});
export type Query = z.infer<typeof Query>;

/** Throws `grants/scim-invalid`. Parameters are compared without regard to case, as Entra ID's `startindex` wants it. */
export const readQuery = (written: unknown): Query => {
  const known = Object.keys(Query.shape);
  const parameters = Object.entries(asObject(written) ?? {}).map(([name, value]) => [
    known.find((each) => each.toLowerCase() === name.toLowerCase()) ?? name,
    value === '' && name.toLowerCase() !== 'cursor' ? undefined : value,
  ]);
  const parsed = Query.safeParse(Object.fromEntries(parameters));
  if (parsed.success) return parsed.data;
  throw refuse(
    'invalidValue',
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  );
};

export const selectionOf = ({ attributes, excludedAttributes }: Query): Selection => ({
  ...(attributes !== undefined && { attributes }),
  ...(excludedAttributes !== undefined && { excludedAttributes }),
});

export type QueryDeps = {
  readonly profiles: ProfileStore;
  readonly organisation: Organisation;
  readonly base: string;
};

/** A list response over one kind of resource, or over both. */
export const find = async (kinds: readonly ProfileKind[], query: Query, given: QueryDeps): Promise<object> => {
  const selection = selectionOf(query);
  const deps = { ...given, tagged: looksAtMeta(query) };
  const count = Math.min(Math.max(query.count ?? pageDefault, 0), pageMax);
  if (query.cursor !== undefined) return findByCursor(kinds, query, { ...deps, count, selection });
  const skip = Math.max(query.startIndex ?? 1, 1) - 1;
  const answer = (total: number, resources: readonly Found[]): object => ({
    schemas: [listUrn],
    totalResults: total,
    itemsPerPage: resources.length,
    startIndex: skip + 1,
    Resources: resources.map(({ kind, resource }) => select(kind, resource, selection)),
  });
  const [kind, ...others] = kinds;
  const filter = query.filter === undefined ? undefined : parseFilter(query.filter);
  if (filter === undefined && query.sortBy === undefined && kind !== undefined && others.length === 0) {
    const total = await deps.profiles.count(kind);
    const page = count === 0 ? [] : await deps.profiles.page(kind, { skip }, count);
    return answer(total, page.map(showing(deps)));
  }
  if (query.sortBy !== undefined) {
    const all: Found[] = [];
    for await (const found of matching(kinds, filter, deps)) {
      all.push(found);
      if (all.length > sortedMax) throw refuse('tooMany', `more than ${sortedMax} are not sorted: narrow the filter`);
    }
    return answer(all.length, sorted(all, query).slice(skip, skip + count));
  }
  let total = 0;
  const page: Found[] = [];
  for await (const found of matching(kinds, filter, deps)) {
    if (total >= skip && page.length < count) page.push(found);
    total++;
  }
  return answer(total, page);
};

const looksAtMeta = ({ attributes, filter, sortBy }: Query): boolean =>
  attributes === undefined || /meta/i.test([...attributes, filter, sortBy].join(' '));

type Found = { readonly kind: ProfileKind; readonly resource: Shown };
const showing =
  ({ organisation, base, tagged = true }: QueryDeps & { readonly tagged?: boolean }) =>
  (profile: Profile): Found => ({ kind: profile.kind, resource: shown(profile, organisation, base, { tagged }) });

/** Every resource that meets the filter, in the order of ids. */
async function* matching(
  kinds: readonly ProfileKind[],
  filter: Filter | undefined,
  deps: QueryDeps,
  behind?: { readonly kind: ProfileKind; readonly id: string },
): AsyncGenerator<Found> {
  const show = showing(deps);
  for (const kind of kinds) {
    if (behind !== undefined && kinds.indexOf(kind) < kinds.indexOf(behind.kind)) continue;
    const meets: Test = filter === undefined ? () => true : compile(kind, filter);
    const key = filter === undefined ? undefined : keyIn(kind, filter);
    let after = behind?.kind === kind ? behind.id : '';
    if (key !== undefined) {
      for (const profile of await deps.profiles.find(kind, key.name, [key.value])) {
        const found = show(profile);
        if (profile.id > after && meets(found.resource)) yield found;
      }
      continue;
    }
    for (;;) {
      const page = await deps.profiles.page(kind, { after }, chunk);
      for (const profile of page) {
        const found = show(profile);
        if (meets(found.resource)) yield found;
      }
      if (page.length < chunk) break;
      after = page.at(-1)?.id ?? after;
      // Others are served between two chunks.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** The one thing that clients ask for all day, `userName eq "…"`, alone or beside more, goes by an index. */
const keyIn = (
  kind: ProfileKind,
  filter: Filter,
): { readonly name: 'id' | 'userName' | 'externalId' | 'displayName'; readonly value: string } | undefined => {
  if (filter.op === 'and') return filter.filters.map((each) => keyIn(kind, each)).find((each) => each !== undefined);
  if (filter.op !== 'eq' || typeof filter.value !== 'string') return undefined;
  const place = placeOf(kind, filter.path);
  if (place?.attribute === undefined || place.sub !== undefined || place.extension !== undefined) return undefined;
  const { name } = place.attribute;
  if (name === 'id' || name === 'externalId') return { name, value: filter.value };
  return name === 'userName' || name === 'displayName' ? { name, value: folded(filter.value) } : undefined;
};

const sorted = (all: readonly Found[], { sortBy = '', sortOrder }: Query): Found[] => {
  const downwards = sortOrder?.toLowerCase() === 'descending';
  const keyOf = ({ kind, resource }: Found): string | number | boolean | undefined => {
    const place = placeOf(kind, sortBy);
    if (place === undefined) return undefined;
    const values = valuesAt(resource, place);
    // Of several the primary one counts, else the first (RFC 7644 §3.4.2.3).
    const value = values.find((each) => asObject(each)?.['primary'] === true) ?? values[0];
    const plain = asObject(value)?.['value'] ?? value;
    const exact = (place.sub ?? place.attribute)?.caseExact === true;
    return typeof plain === 'string' && !exact ? plain.toLowerCase() : (plain as string | number | boolean | undefined);
  };
  const keyed = all.map((found) => ({ found, key: keyOf(found) }));
  keyed.sort((a, b) => {
    if (a.key === b.key) return 0;
    // What has no value comes last upwards, and first downwards.
    if (a.key === undefined || b.key === undefined) return (a.key === undefined ? 1 : -1) * (downwards ? -1 : 1);
    return (a.key < b.key ? -1 : 1) * (downwards ? -1 : 1);
  });
  return keyed.map(({ found }) => found);
};

const Cursor = z.strictObject({ kind: z.enum(['User', 'Group']), id: z.string(), of: z.string() });

/** A cursor names the last resource answered and what was asked, so nothing is kept here and it never runs out. */
const findByCursor = async (
  kinds: readonly ProfileKind[],
  query: Query,
  { count, selection, ...deps }: QueryDeps & { readonly count: number; readonly selection: Selection },
): Promise<object> => {
  if (query.startIndex !== undefined) throw refuse('invalidValue', 'cursor and startIndex exclude each other');
  if (query.sortBy !== undefined)
    throw refuse('invalidValue', 'pages by cursor come in the order of ids: leave sortBy out');
  if (count === 0) throw refuse('invalidCount', 'a page by cursor has at least one resource');
  const of = JSON.stringify([kinds, query.filter ?? '']);
  const behind = query.cursor === '' || query.cursor === undefined ? undefined : readCursor(query.cursor, of);
  const filter = query.filter === undefined ? undefined : parseFilter(query.filter);
  const page: Found[] = [];
  for await (const found of matching(kinds, filter, deps, behind)) {
    page.push(found);
    if (page.length > count) break;
  }
  const resources = page.slice(0, count);
  const last = resources.at(-1);
  // The total is told where it is cheap: unfiltered, by counting; a filter would have to look through all of them for it.
  let total = 0;
  for (const kind of kinds) total += filter === undefined ? await deps.profiles.count(kind) : 0;
  return {
    schemas: [listUrn],
    ...(filter === undefined && { totalResults: total }),
    itemsPerPage: resources.length,
    ...(page.length > count && last && { nextCursor: cursorOf(last, of) }),
    Resources: resources.map(({ kind, resource }) => select(kind, resource, selection)),
  };
};

const cursorOf = ({ kind, resource }: Found, of: string): string =>
  Buffer.from(JSON.stringify({ kind, id: resource.id, of })).toString('base64url');

const readCursor = (text: string, of: string): { readonly kind: ProfileKind; readonly id: string } => {
  try {
    const cursor = Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    if (cursor.of === of) return cursor;
  } catch (error) {
    throw refuse('invalidCursor', 'the cursor is none of ours', error);
  }
  throw refuse('invalidCursor', 'the cursor belongs to another filter or another endpoint');
};
