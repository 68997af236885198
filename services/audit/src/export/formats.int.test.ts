import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fact, type FactType } from '@postern/schemas';
import { parseServedRow, type ServedRow } from '@postern/schemas/record';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { toOcsf } from './to-ocsf.ts';
import { writeParquet } from './to-parquet.ts';

const published = JSON.parse(readFileSync(new URL('./fixtures/ocsf-1.5.0.json', import.meta.url), 'utf8'));
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
const classes = new Map([
  [6003, ajv.compile(published.api_activity)],
  [3005, ajv.compile(published.user_access)],
  [3004, ajv.compile(published.entity_management)],
]);
const refusalOf = (event: Readonly<Record<string, unknown>>): string | undefined => {
  const validate = classes.get(Number(event['class_uid']));
  if (validate === undefined) return `no class ${event['class_uid']}`;
  return validate(event) ? undefined : ajv.errorsText(validate.errors);
};

const row = (more: object): ServedRow =>
  parseServedRow(JSON.stringify({ index: 0, id: 'x', at: '2030-01-01T00:00:00.000Z', type: 'decision', ...more }));
const types = Fact.options.map(({ shape }) => shape.type.value as FactType);

test('every type of fact, with all members of a row and with none, is a valid event of the published OCSF schema', () => {
  for (const type of types)
    for (const more of [{}, { subject: 'user:ann', role: 'r', actor: 'user:admin', reason: 'why', sequence: 3 }])
      assert.equal(refusalOf(toOcsf(row({ type, body: { data: {} }, ...more }))), undefined, type);
});

test('every kind of decision is a valid API Activity', () => {
  for (const outcome of ['allow', 'deny', 'unavailable'])
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE', 'PROPFIND'])
      for (const more of [{}, { subject: 'user:ann', endpoint: 's/o', service: 's', reason: 'no-grant', trace: 'ab' }])
        for (const ip of [undefined, '10.1.2.3', '2001:db8::1']) {
          const event = toOcsf(row({ outcome, ...more, body: { method, path: '/p', ip } }));
          assert.equal(refusalOf(event), undefined, JSON.stringify(event));
          assert.equal(event['status_id'], outcome === 'allow' ? 1 : 2);
          assert.equal(event['type_uid'], 600_300 + Number(event['activity_id']));
        }
});

test('an event that lacks what its class requires is refused by the published schema', () => {
  const { time, ...without } = toOcsf(row({ body: { method: 'GET', path: '/' } }));
  assert.match(refusalOf(without) ?? '', /time/);
  assert.match(refusalOf({ ...without, time, surprise: 1 }) ?? '', /additional/);
});

test('a Parquet file holds every row with every member, over several groups of rows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-parquet-'));
  try {
    const file = join(folder, 'rows.parquet');
    const count = 25_000;
    const rows = async function* (): AsyncGenerator<ServedRow> {
      for (let at = 0; at < count; at++)
        yield row({
          index: at,
          id: `d-${at}`,
          ...(at % 2 === 0 && { subject: 'user:ann', sequence: at }),
          body: { at },
        });
    };
    await writeParquet(file, rows());
    const read = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
    assert.equal(read.length, count);
    for (const at of [0, 1, 9_999, 10_000, 24_999]) {
      const found = read[at] ?? {};
      assert.deepEqual([found['index'], found['id'], found['body']], [BigInt(at), `d-${at}`, JSON.stringify({ at })]);
      assert.equal(found['sequence'] ?? undefined, at % 2 === 0 ? BigInt(at) : undefined);
      assert.equal(found['subject'] ?? undefined, at % 2 === 0 ? 'user:ann' : undefined);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
