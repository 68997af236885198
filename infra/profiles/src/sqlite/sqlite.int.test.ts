import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { profileConformance } from '../conformance.ts';
import { openProfileStore } from '../open.ts';

profileConformance('sqlite', () => openProfileStore('memory:'));

test('what was erased is in none of the files any more', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-profiles-'));
  try {
    await using store = await openProfileStore(`file:${folder}`);
    const holds = async (text: string): Promise<boolean> => {
      for (const file of await readdir(folder)) if ((await readFile(join(folder, file))).includes(text)) return true;
      return false;
    };
    const profile = (document: string, version: number) =>
      ({
        kind: 'User',
        id: 'p1',
        userName: 'somebody',
        document,
        version,
        createdAtMs: 1,
        modifiedAtMs: 1,
        writtenAt: 1,
      }) as const;
    await store.write([{ change: 'insert', profile: profile('{"name":"Perdita Ulysses"}', 1) }]);
    assert.ok(await holds('Perdita Ulysses'));
    await store.write([{ change: 'delete', kind: 'User', id: 'p1', expected: 1 }]);
    assert.equal(await holds('Perdita Ulysses'), false);
    assert.equal(await holds('somebody'), false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
