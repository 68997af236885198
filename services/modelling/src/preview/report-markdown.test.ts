import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointId, PrincipalId } from '@postern/schemas';
import type { Flip } from './flip.ts';
import type { Preview } from './preview.ts';
import { previewJunit, previewText } from './report.ts';
import { previewMarkdown } from './report-markdown.ts';

const flip = (more: Partial<Flip>): Flip => ({
  direction: 'allow-to-deny',
  subjects: ['user:ann' as PrincipalId],
  live: 'payroll/one' as EndpointId,
  here: 'payroll/one' as EndpointId,
  example: 'GET /payroll/employees/7',
  uses: 3,
  last: '2026-11-20T08:00:00.000Z',
  objects: [],
  objectCount: 0,
  causes: [{ kind: 'role', role: 'clerk', what: 'the role clerk opens it now and not here', place: 'roles.yaml:7' }],
  wanted: false,
  ...more,
});
const of = (flips: readonly Flip[], more: Partial<Preview> = {}): Preview => ({
  flips,
  distinct: 2,
  asked: 4,
  undecided: 0,
  read: 10,
  leftOut: [],
  from: '2026-11-01T00:00:00.000Z',
  until: '2026-11-20T08:00:00.000Z',
  dropped: [],
  aside: [],
  ...more,
});

test('the verdict comes first, gains before losses, and flips of one endpoint for one reason are one row', () => {
  const many = Array.from({ length: 20 }, (_, n) => flip({ subjects: [`user:u${n}` as PrincipalId], uses: 100 - n }));
  const gain = flip({ direction: 'deny-to-allow', subjects: ['user:eve' as PrincipalId] });
  const lines = previewMarkdown(of([...many, gain, flip({ wanted: true })])).split('\n');
  assert.equal(lines[2], '**1 caller would gain access, 20 callers would lose access (1 flip more is wanted).**');
  const headings = lines.filter((line) => line.startsWith('####'));
  assert.deepEqual(
    headings.map((line) => line.slice(5, 16)),
    ['Refused now', 'Allowed now'],
  );
  const rows = lines.filter((line) => line.startsWith('| `'));
  assert.equal(rows.length, 3);
  assert.match(
    rows[1] ?? '',
    /20: `user:u0`, `user:u1`, `user:u2`, and 17 more +\| 1,810 \| 2026-11-20 08:00 UTC \| the role `clerk` opens it now and not here \(`roles\.yaml:7`\)/,
  );
});

test('no number of rows makes a comment longer than GitHub takes, and what is left out is counted', () => {
  const many = (direction: Flip['direction']) =>
    Array.from({ length: 5_000 }, (_, n) =>
      flip({ direction, here: `payroll/op${n}` as EndpointId, example: `GET /${'long/'.repeat(300)}${n}` }),
    );
  const text = previewMarkdown(
    of([...many('allow-to-deny'), ...many('deny-to-allow')], {
      leftOut: Array.from({ length: 40 }, (_, n) => ({ why: `reason ${n}`, uses: n, example: 'x'.repeat(200) })),
    }),
  );
  assert.ok(text.length < 65_536, `${text.length}`);
  for (const title of ['Refused now', 'Allowed now']) assert.ok(text.includes(`#### ${title}`), title);
  const hidden = [...text.matchAll(/… and ([\d,]+) rows more/g)].map(([, count]) => Number(count?.replace(',', '')));
  const shown = text.split('\n').filter((line) => line.startsWith('| `')).length;
  assert.equal(hidden.reduce((sum, each) => sum + each, 0) + shown, 10_000);
  assert.match(text, /Not asked, or not certain/);
});

test('recorded text is shown as text: no markup, no mention, no cell of its own', () => {
  const evil = 'GET /`|</td><img src=x>@team\u202E\n# head';
  const result = of([flip({ example: evil })], {
    leftOut: [{ why: 'not JSON', uses: 1, example: `line 1: @team <b> ${evil}` }],
  });
  const lines = previewMarkdown(result).split('\n');
  const row = lines.find((line) => line.startsWith('| `payroll/one')) ?? '';
  assert.equal(row.match(/(?<!\\)\|/g)?.length, 6);
  assert.equal(row.match(/`/g)?.length, 2 * 5);
  const note = lines.find((line) => line.startsWith('- 1 call')) ?? '';
  assert.doesNotMatch(note, /@team|(?<!\\)<b>|\u202E/);
  assert.doesNotMatch(previewJunit(result), /<img|<b>/);
  assert.ok(previewText(of([])).startsWith('Nobody gains or loses access.'));
});
