/** What the command tells of the sound model and of changed ones: every format, comparison by files and by facts, coverage. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type Against,
  type CheckInput,
  type CheckReport,
  checkModel,
  readFacts,
  toJson,
  toJunit,
  toSarif,
  toText,
} from '@postern/modelling/app';
import { loadConfig, loadModel } from '@postern/runtime';
import { type FactDraft, Organisation, sealAppend } from '@postern/schemas';
import { draftOf } from '@postern/schemas/histories';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { corpusFolder } from '../trial/corpus.ts';
import { checkDeps } from './check.ts';

/** The sound model, with texts in its files replaced. */
const sound = (...changes: readonly (readonly [file: string, from: string, to: string])[]): string => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-check-'));
  cpSync(join(corpusFolder, 'sound'), folder, { recursive: true });
  for (const [file, from, to] of changes) {
    const text = readFileSync(join(folder, file), 'utf8');
    assert.ok(text.includes(from), `${file} holds ${from}`);
    writeFileSync(join(folder, file), text.replace(from, to));
  }
  return join(folder, 'postern.yaml');
};
const check = (config: string, input: Omit<Partial<CheckInput>, 'loaded'> = {}): Promise<CheckReport> =>
  checkModel(checkDeps, { loaded: loadConfig(config, {}), now: '2026-11-24T09:00:00Z', ...input });
const errors = ({ findings }: CheckReport) => findings.filter(({ level }) => level === 'error').map(({ what }) => what);
const named = (file: string): string => file.slice(file.lastIndexOf('/') + 1);
const filesAt = (config: string): Against => ({
  kind: 'files',
  name: 'before',
  model: loadModel(loadConfig(config, {})),
});

test('all that is asserted of the sound model holds', async () => {
  const report = await check(sound());
  assert.deepEqual(errors(report), []);
  assert.equal(report.assertions.length, 13);
  assert.match(toText(report, named), /assertions: 13 hold, 0 do not\n/);
});

test('coverage names what no assertion touches, and fails below what is asked for', async () => {
  const report = await check(sound(), { coverageMin: 100 });
  assert.deepEqual(report.coverage?.roles.untouched, []);
  assert.deepEqual(report.coverage?.routes.untouched, ['payroll/followPayroll']);
  assert.match(errors(report).join(), /assertions touch \d+ % of roles, routes and relations, and 100 % are asked for/);
});

test('coverage that is asked for is not there without assertions', async () => {
  const config = sound(['postern.yaml', ', assertions: ./assertions.yaml', '']);
  assert.deepEqual(errors(await check(config, { coverageMin: 1 })), [
    'there are no assertions, and 1 % coverage is asked for',
  ]);
});

test('a change of an expression alone is shown as who gains, who loses and where', async () => {
  const before = sound(['schema/employee.zed', 'self_service + manager', 'self_service']);
  const widened = await check(sound(), { against: filesAt(before) });
  const gains = widened.findings.filter(({ rule }) => rule === 'change/gains');
  assert.deepEqual(
    gains.map(({ what, file, line }) => [what, named(file), line]),
    [['employee:42#view: refused → allowed for user:bob', 'employee.zed', 6]],
  );
  const narrowed = await check(before, { against: filesAt(sound()) });
  assert.deepEqual(
    narrowed.findings.filter(({ rule }) => rule.startsWith('change/')).map(({ rule, what }) => [rule, what]),
    [['change/loses', 'employee:42#view: allowed → refused for user:bob']],
  );
});

test('a role that allows less is shown for everybody who holds it, conditions included', async () => {
  const after = sound(
    ['roles.yaml', 'access: write', 'access: read'],
    ['postern.yaml', ', assertions: ./assertions.yaml', ''],
  );
  const report = await check(after, { against: filesAt(sound()) });
  const loses = report.findings.filter(({ rule }) => rule === 'change/loses').map(({ what }) => what);
  assert.deepEqual(loses, [
    'payroll/addEmployee: allowed → refused for role:payroll-writer',
    'payroll/changeSalary: allowed → refused for role:payroll-writer',
  ]);
});

test('what was not compared is stated', async () => {
  const report = await check(sound(), { against: filesAt(sound()), questionsMax: 100 });
  const { compared = 0, pairs = 0 } = report.comparison ?? {};
  assert.ok(compared < pairs);
  assert.match(
    toText(report, named),
    new RegExp(`compared: ${compared} of ${pairs} pairs .* ${pairs - compared} were left out`),
  );
});

test('a schema without a place for live relationships is an error that names them', async () => {
  const facts = liveFacts(loadModel(loadConfig(sound(), {})).schema);
  const config = sound(['postern.yaml', ', assertions: ./assertions.yaml', '']);
  writeFileSync(join(config, '../schema/group.zed'), 'definition group {\n\trelation member: workload\n}\n');
  const report = await check(config, { against: { kind: 'facts', name: 'live', facts } });
  assert.match(errors(report).join('\n'), /group#member does not take user/);
  const kept = await check(sound(['postern.yaml', ', assertions: ./assertions.yaml', '']), {
    against: { kind: 'facts', name: 'live', facts },
  });
  assert.deepEqual(errors(kept), []);
});

const liveFacts = (schema: string): FactDraft[] => [
  draftOf(1, 'postern.schema.published.v1', { text: schema, part: 1, parts: 1, digest: 'none' }),
  draftOf(2, 'postern.principal.joined.v1', { principal: 'user:carol' as never, attributes: {} }),
  draftOf(3, 'postern.group.changed.v1', { group: 'group:hr' as never, add: ['user:carol' as never], remove: [] }),
];

test('an export is read whole or not at all', () => {
  const organisation = new Organisation();
  const lines = liveFacts('definition user {}').flatMap((draft) =>
    sealAppend(organisation.sequence, [draft]).map((entry) => {
      if (entry.fact) organisation.apply({ ...entry, fact: entry.fact });
      return new TextDecoder().decode(entry.bytes);
    }),
  );
  assert.ok(Array.isArray(readFacts(lines.join('\n'))));
  assert.ok(Array.isArray(readFacts(lines.toReversed().join('\n'))));
  assert.match(JSON.stringify(readFacts([lines[0], lines[2]].join('\n'))), /is not fact 2/);
  assert.match(JSON.stringify(readFacts('{}')), /is no fact/);
});

test('SARIF is what its schema asks for', async () => {
  const report = await check(sound(['roles.yaml', 'access: write', 'access: admin']));
  const sarif = JSON.parse(toSarif(report, named)) as { readonly runs: { readonly results: readonly unknown[] }[] };
  const path = createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
  const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(path, 'utf8'));
  const ajv = new Ajv({ strict: false, validateSchema: false, allErrors: true, unicodeRegExp: false });
  addFormats.default(ajv);
  const isSarif = ajv.compile(schema);
  assert.ok(isSarif(sarif), JSON.stringify(isSarif.errors));
  assert.ok((sarif.runs[0]?.results.length ?? 0) > 0);
  assert.equal(isSarif({ ...sarif, runs: [{ results: [] }] }), false);
});

test('JUnit has a case for each assertion, well formed whatever stands in it', async () => {
  const report = await check(
    sound(['assertions.yaml', 'user:alice cannot PATCH /payroll/employees/42', 'user:a<&\\"b cannot PATCH /payroll']),
  );
  const broken = toJunit(report, named);
  assert.match(broken, /<failure message="/);
  assert.match(broken, /a&lt;&amp;/);
  const sounds = toJunit(await check(sound()), named);
  assert.equal([...sounds.matchAll(/<testcase /g)].length, 14);
  for (const xml of [broken, sounds]) wellFormed(xml);
});

/** Every element is closed in order, and no markup stands in a text or an attribute. */
const wellFormed = (xml: string): void => {
  const open: string[] = [];
  const rest = xml.replace(/<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g, (_, closing, name, attributes, empty) => {
    assert.doesNotMatch(attributes, /&(?!amp;|lt;|gt;|quot;)/);
    if (closing) assert.equal(open.pop(), name);
    else if (!empty) open.push(name);
    return '';
  });
  assert.deepEqual(open, []);
  assert.doesNotMatch(rest.replace(/^<\?xml [^>]*\?>/, ''), /[<>]|&(?!amp;|lt;|gt;|quot;)/);
};

test('JSON carries the findings, the assertions and the coverage', async () => {
  const { ok, assertions, coverage } = JSON.parse(toJson(await check(sound()), named));
  assert.equal(ok, true);
  assert.equal(
    assertions.every((each: { holds: boolean }) => each.holds),
    true,
  );
  assert.equal(coverage.roles.percent, 100);
});
