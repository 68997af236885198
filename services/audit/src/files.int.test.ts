import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import {
  edgeRoot,
  growEdge,
  leafHash,
  proveInclusion,
  signCheckpoint,
  subtreesOf,
  tilePath,
  tilesOf,
  tileWidth,
  vkeyText,
  writeBundle,
  writeProof,
} from '@postern/schemas/tlog';
import { filesIn, logKeys, makeSigningKey, parseSigningKeys, verifyLog, verifyRecord } from './app.ts';
import { sha256 } from './sha256.ts';

/** Writes a log of `count` entries with one proof, and returns its verifier key. */
const writeLog = async (folder: string, count: number, proven: number): Promise<string> => {
  const entries = Array.from({ length: count }, (_, at) => Buffer.from(`{"entry":${at}}`));
  const leaves = entries.map((entry) => leafHash(sha256, entry));
  const subtree = subtreesOf(sha256, async (from, to) => leaves.slice(from, to));
  const { signers } = await logKeys('audit.example/facts', parseSigningKeys(makeSigningKey()));
  const [signer] = signers;
  assert.ok(signer);
  const root = edgeRoot(sha256, growEdge(sha256, [], 0, leaves));
  const checkpoint = await signCheckpoint({ origin: signer.name, size: count, root }, [signer]);
  const files = new Map<string, string | Uint8Array>([['checkpoint', checkpoint]]);
  for (const tile of tilesOf(count)) {
    const [from, to] = [tile.index * tileWidth, tile.index * tileWidth + tile.width];
    if (tile.level === 'entries') files.set(tilePath(tile), writeBundle(entries.slice(from, to)));
    if (tile.level === 0) files.set(tilePath(tile), Buffer.concat(leaves.slice(from, to)));
  }
  const path = await proveInclusion(sha256, subtree, proven, count);
  files.set(`proof/${proven}`, writeProof({ index: proven, path, checkpoint }));
  files.set(`entry/${proven}`, entries[proven] ?? '');
  for (const [name, content] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return vkeyText(signer);
};

test('a log in files is verified offline, and any flipped byte in any of them is found', {
  timeout: 30_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-files-'));
  try {
    const vkey = await writeLog(folder, 7, 3);
    const get = filesIn(folder);
    const verified = async () => {
      const whole = await verifyLog({ get, vkey });
      const record = await verifyRecord({ get, vkey }, 3);
      return whole.outcome === 'intact' && record.outcome === 'intact';
    };
    assert.ok(await verified());
    for (const name of ['checkpoint', 'tile/0/000.p/7', 'tile/entries/000.p/7', 'proof/3', 'entry/3']) {
      const bytes = await readFile(join(folder, name));
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        await writeFile(join(folder, name), changed);
        assert.equal(await verified(), false, `${name}, byte ${at}`);
      }
      await writeFile(join(folder, name), bytes);
    }
    assert.ok(await verified());
    await rm(join(folder, 'proof', '3'));
    assert.deepEqual(
      await verifyRecord({ get, vkey }, 3).then((found) => found.outcome === 'altered' && found.what),
      'missing',
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
