import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type StartedSpiceDb, startSpiceDb } from '@postern/containers';
import { gateSchema, isProblem } from '@postern/schemas';
import { relationshipsConformance } from '../conformance.ts';
import { openRelationships } from '../open.ts';
import { openSpiceDb } from './open.ts';

let server: StartedSpiceDb | undefined;
const url = async (): Promise<string> => {
  server ??= await startSpiceDb();
  return `spicedb://${server.endpoint}?token=${server.presharedKey}`;
};
after(() => server?.[Symbol.asyncDispose]());

relationshipsConformance('spicedb', async () => openRelationships(await url()));

const isUnreachable = (error: unknown) => isProblem(error, 'authorizer/engine-unreachable');

test('reads its key from a file, and is refused with another one', async () => {
  await url();
  const folder = await mkdtemp(join(tmpdir(), 'postern-'));
  const tokenFile = join(folder, 'key');
  await writeFile(tokenFile, `${server?.presharedKey}\n`);
  await using engine = await openRelationships(`spicedb://${server?.endpoint}?tokenFile=${tokenFile}`);
  await engine.ping();
  await using stranger = await openRelationships(`spicedb://${server?.endpoint}?token=guessed`);
  await assert.rejects(stranger.ping(), isUnreachable);
  await rm(folder, { recursive: true });
  for (const bad of ['', '?tokenFile=/nowhere/key'])
    await assert.rejects(openRelationships(`spicedb://${server?.endpoint}${bad}`), (error) =>
      isProblem(error, 'runtime/bad-config'),
    );
});

test('a server that stops answering is given up in time, and found again when it is back', async () => {
  await using engine = await openSpiceDb(await url(), { deadlineMs: 500 });
  await engine.writeSchema(gateSchema);
  const ask = () => engine.check([{ resource: 'endpoint:a/b', permission: 'call', subject: 'user:ann' }]);
  assert.deepEqual(await ask(), [{ verdict: 'has-not' }]);
  await server?.pause();
  await assert.rejects(ask(), isUnreachable);
  await server?.unpause();
  await untilAnswered(ask);
  await server?.stop(0);
  await assert.rejects(ask(), isUnreachable);
  await server?.start();
  await untilAnswered(() => engine.ping());
});

const untilAnswered = async (ask: () => Promise<unknown>): Promise<void> => {
  for (let tries = 0; ; tries++)
    try {
      await ask();
      return;
    } catch (error) {
      if (tries === 40) throw error;
    }
};
