import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSealedStore } from '../open.ts';
import { sealedConformance } from '../sealed/conformance.ts';

sealedConformance('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-sealed-'));
  const store = await openSealedStore(`file:${folder}`);
  // Another one has the file open and has read from it, as the record's thread does.
  const beside = await openSealedStore(`file:${folder}`);
  await beside.find(['sealed:any']);
  return {
    store: {
      ...store,
      [Symbol.asyncDispose]: async () => {
        await beside[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
        await rm(folder, { recursive: true });
      },
    },
    holds: async (text) => {
      for (const file of await readdir(folder)) if ((await readFile(join(folder, file))).includes(text)) return true;
      return false;
    },
  };
});
