import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem } from '@postern/schemas';
import fc from 'fast-check';
import { enterpriseUrn } from './definitions.ts';
import { type Filter, parseFilter } from './filter.ts';
import { compile } from './match.ts';

const ann = {
  id: 'A1',
  userName: 'Ann',
  title: 'a and (b',
  active: true,
  emails: [
    { value: 'ann@work.test', type: 'work', primary: true },
    { value: 'ann@home.test', type: 'home' },
  ],
  meta: { lastModified: '2026-11-24T08:00:00.000Z' },
  [enterpriseUrn]: { department: 'Finance', manager: { value: 'M1' } },
};
const meets = (filter: string): boolean => compile('User', parseFilter(filter))(ann);

test('a filter means what RFC 7644 says', () => {
  const told: Record<string, boolean> = {
    'userName eq "ANN"': true,
    'USERNAME Eq "ann"': true,
    'id eq "a1"': false,
    'userName ne "ann"': false,
    'nickName ne "x"': true,
    'nickName eq null': true,
    'nickName pr': false,
    'emails pr': true,
    'active eq "True"': true,
    'active eq False': false,
    'title eq "a and (b"': true,
    'not (title eq "a and (b")': false,
    'not (userName eq "ann" and title eq "x")': true,
    'not (userName eq "bob" or title eq "x")': true,
    'userName eq "bob" or userName eq "ann" and title pr': true,
    '(userName eq "bob" or userName eq "ann") and title eq "x"': false,
    'emails[type eq "work" and value co "@home"]': false,
    'emails[type eq "home" and value co "@home"]': true,
    'emails[type eq "work"].value eq "ann@home.test"': false,
    'emails[type eq "work"].value ew "work.test"': true,
    'emails.value sw "ANN@"': true,
    'emails co "home"': true,
    [`${enterpriseUrn}:department eq "finance"`]: true,
    [`${enterpriseUrn}:manager.value eq "M1"`]: true,
    [`${enterpriseUrn} pr`]: true,
    'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "an"': true,
    'meta.lastModified gt "2026-11-24T07:59:59Z"': true,
    'meta.lastModified lt "2026-11-24T09:00:00+02:00"': false,
    'userName gt "amm" and userName lt "anz"': true,
    'userName gt 5': false,
    'title eq "quote \\" and backslash \\\\"': false,
  };
  for (const [filter, expected] of Object.entries(told)) assert.equal(meets(filter), expected, filter);
});

test('what is no filter is refused by name', () => {
  for (const filter of [
    '',
    'userName',
    'userName eq',
    'userName eq ann',
    'userName is "ann"',
    '(userName pr',
    'userName pr)',
    'userName pr title pr',
    'emails[type eq "work"',
    'not userName pr',
    'colour eq "red"',
    'emails[colour eq "red"]',
    'active gt true',
    '"ann" eq userName',
    '('.repeat(5_000),
    `${'('.repeat(300)}userName pr${')'.repeat(300)}`,
    'userName eq "x" and',
    'userName eq "unclosed',
  ])
    assert.throws(
      () => meets(filter),
      (error) => isProblem(error, 'grants/scim-invalid') && error.members['scimType'] === 'invalidFilter',
      filter,
    );
});

const written = (filter: Filter): string => {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.filters.map((each) => `(${written(each)})`).join(` ${filter.op} `);
    case 'not':
      return `not (${written(filter.filter)})`;
    case 'some':
      return `${filter.path}[${written(filter.filter)}]`;
    case 'pr':
      return `${filter.path} pr`;
    default:
      return `${filter.path} ${filter.op} ${JSON.stringify(filter.value)}`;
  }
};
const leaf = fc.record({
  op: fc.constantFrom('eq', 'ne', 'co', 'sw', 'gt'),
  path: fc.constantFrom('userName', 'title', 'emails.value'),
  value: fc.string(),
}) as fc.Arbitrary<Filter>;
const { filter: anyFilter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({ op: fc.constant('not' as const), filter: tie('filter') }),
    fc.record({
      op: fc.constantFrom('and' as const, 'or' as const),
      filters: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
    }),
  ),
}));

test('a filter that is written down is read as the same, whatever stands in its texts', () => {
  fc.assert(
    fc.property(anyFilter, (filter) => assert.deepEqual(parseFilter(written(filter)), structuredClone(filter))),
  );
});
