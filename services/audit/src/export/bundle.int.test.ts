import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import { beginning } from '@postern/schemas';
import { pageFile, verifyBundle } from '@postern/schemas/evidence';
import { unzipSync, zipSync } from 'fflate';
import { chromium } from 'playwright-core';
import { pageCode, pageCodeFile } from '../../generate-page.ts';
import { auditRoom } from '../testing/audit-room.ts';
import { decisionBatch, grantIssued } from '../testing/log-content.ts';
import { toPage } from './to-page.ts';
import { verifyBundleFile } from './verify-file.ts';

const hostile = '</script><script>window.ran=1</script><img src=x onerror="window.ran=1">';

const exported = async (query: string): Promise<Uint8Array> => {
  await using eventLog = await openEventLog('memory:');
  await using store = await openAuditStore('memory:');
  const facts = Array.from({ length: 9 }, (_, at) => grantIssued(at));
  const [first, ...others] = facts;
  assert.ok(first?.type === 'postern.grant.issued.v1');
  await eventLog.facts.append(beginning, [{ ...first, data: { ...first.data, reason: hostile } }, ...others]);
  await eventLog.decisions.publish([1, 2].map((batch) => ({ key: 'k', bytes: decisionBatch(batch, 4) })));
  await using room = await auditRoom({ eventLog, store });
  await room.sealedAt({ facts: 9, decisions: 2 });
  const { status, bytes, text } = await room.gate.get(room.service, `export?${query}`);
  assert.equal(status, 200, text);
  return new Uint8Array(bytes);
};
const partsOf = (zip: Uint8Array) => new Map(Object.entries(unzipSync(zip)));
const pageless = (files: Map<string, Uint8Array>) => new Map([...files].filter(([name]) => name !== pageFile));
const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, (bytes[at] ?? 0) ^ 1);

for (const [query, rows, entries] of [
  ['kind=facts', 9, 9],
  ['kind=facts&subject=user:ben', 4, 4],
  ['kind=decisions&outcome=deny', 4, 2],
  ['question=20', 9, 9],
] as const)
  test(`a bundle of ${query} is verified by its own files`, async () => {
    const zip = await exported(query);
    assert.deepEqual(await verifyBundleFile(zip), { outcome: 'verified', findings: [], rows, entries });
    const other = 'audit.example/facts+00000000+AAAA\n';
    assert.equal(
      (await verifyBundleFile(zip, other)).outcome,
      'wrong',
      'keys that were kept elsewhere are what counts',
    );
  });

test('any byte of any file that is another one is noticed', async () => {
  const files = pageless(partsOf(await exported('kind=facts&subject=user:ben')));
  for (const [name, bytes] of files)
    for (let at = 0; at < bytes.byteLength; at += 7) {
      const { outcome } = await verifyBundle(new Map([...files, [name, flipped(bytes, at)]]));
      assert.equal(outcome, 'wrong', `${name}, byte ${at}`);
    }
});

test('a row that was made to say something else is named, whatever sums are written beside it', async () => {
  const files = pageless(partsOf(await exported('kind=decisions')));
  const text = new TextDecoder().decode(files.get('rows.ndjson'));
  const lines = text.split('\n');
  assert.match(lines[2] ?? '', /"allow"/);
  lines[2] = (lines[2] ?? '').replaceAll('"allow"', '"deny"');
  files.set('rows.ndjson', new TextEncoder().encode(lines.join('\n')));
  const { findings } = await verifyBundle(files);
  assert.ok(findings.some(({ row, why }) => row === 3 && why.includes('does not say what entry 0 says: outcome')));
  assert.ok(findings.every(({ row }) => row === undefined || row === 3));
});

test('a file that is left out, put in or no zip is told of', async () => {
  const files = partsOf(await exported('kind=facts'));
  for (const name of files.keys()) {
    const without = Object.fromEntries([...files].filter(([each]) => each !== name));
    assert.equal((await verifyBundleFile(zipSync(without))).outcome, 'wrong', name);
  }
  const page = files.get(pageFile) ?? new Uint8Array();
  const forged = { ...Object.fromEntries(files), [pageFile]: flipped(page, page.byteLength - 5_000) };
  assert.equal((await verifyBundleFile(zipSync(forged))).outcome, 'wrong', 'the script of the page is another one');
  const more = { ...Object.fromEntries(files), 'entries/facts/99.json': new Uint8Array([1]) };
  assert.equal((await verifyBundleFile(zipSync(more))).outcome, 'wrong');
  assert.equal((await verifyBundleFile(new Uint8Array(50))).outcome, 'wrong');
});

test('what runs in the page is made from the sources as they are', async () => {
  assert.equal(readFileSync(pageCodeFile, 'utf8'), await pageCode());
});

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

test('index.html opens from a disk, verifies itself, names the row that is wrong, and runs nothing that it shows', {
  skip: browser === undefined && 'no chromium here',
}, async () => {
  const files = partsOf(await exported('kind=facts'));
  const folder = mkdtempSync(join(tmpdir(), 'postern-page-'));
  await using chrome = await chromium.launch({ executablePath: browser ?? '', args: ['--no-sandbox'] });
  const opened = async (name: string, page: Uint8Array | string) => {
    writeFileSync(join(folder, name), page);
    const tab = await chrome.newPage();
    const asked: string[] = [];
    tab.on('request', (request) => void asked.push(request.url()));
    await tab.goto(pathToFileURL(join(folder, name)).href);
    await tab.waitForSelector('#state.verified, #state.wrong');
    assert.deepEqual(
      asked.filter((url) => !url.startsWith('file:')),
      [],
      'nothing is fetched',
    );
    assert.equal(await tab.evaluate('window.ran'), undefined, 'no string that is shown runs');
    const [state, findings, body] = [
      await tab.textContent('#state'),
      await tab.textContent('#findings'),
      await tab.textContent('#rows'),
    ];
    return { tab, state, findings, body };
  };
  try {
    const good = await opened('good.html', files.get(pageFile) ?? '');
    assert.equal(good.state, 'Verified: 9 rows, 9 entries proven');
    assert.ok(good.body?.includes(hostile));
    const shot = process.env['POSTERN_SCREENSHOTS'];
    if (shot !== undefined) await good.tab.screenshot({ path: join(shot, 'good.png') });
    const others = pageless(files);
    const rows = others.get('rows.ndjson') ?? new Uint8Array();
    const second = rows.indexOf(10) + 60;
    const bad = await opened('bad.html', toPage(new Map([...others, ['rows.ndjson', flipped(rows, second)]])));
    assert.match(bad.state ?? '', /^NOT verified/);
    assert.match(bad.findings ?? '', /row 2: /);
    assert.doesNotMatch(bad.findings ?? '', /row [13456789]: /);
    if (shot !== undefined) await bad.tab.screenshot({ path: join(shot, 'bad.png') });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
