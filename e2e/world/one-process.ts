/** The embedded world as a journey's world: `postern up` with a configuration of its own, beside the same API and identity provider. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCollector } from './collector.ts';
import { startIssuer } from './issuer.ts';
import { commonConfig } from './model.ts';
import { startOperationApis } from './operation-apis.ts';
import { freeAddresses, posternProcess } from './processes.ts';
import { startTransmitter } from './transmitter.ts';
import { startUpstream } from './upstream.ts';
import { speaking, type World } from './world.ts';

export const embeddedWorld = async (): Promise<World> => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-one-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [listen = '', health = '', h2c = ''] = await freeAddresses(3);
  const gates = [`http://${listen}`];
  const collector = stack.use(await startCollector());
  const issuer = stack.use(await startIssuer());
  const transmitter = stack.use(await startTransmitter());
  const upstream = stack.use(await startUpstream(gates));
  const operations = stack.use(await startOperationApis());
  const postern = stack.use(
    await posternProcess({
      folder,
      args: ['up'],
      config: {
        ...commonConfig({
          upstream: upstream.url,
          issuer: issuer.url,
          transmitter,
          otlp: collector.url,
          services: operations.services,
        }),
        listen,
        h2c,
        health,
        data: './data',
        log: { level: 'warn' },
      },
    }),
  );
  await postern.start();
  const key = (await readFile(join(folder, 'data/admin.key'), 'utf8')).trim();
  const owned = stack.move();
  return {
    kind: 'embedded',
    gates,
    h2c: [h2c],
    key,
    issuer,
    transmitter,
    upstream,
    operations,
    collector,
    ...speaking(gates, () => key, issuer),
    health: () => postern.health(),
    restart: async (_room, signal) => {
      await postern.stop(signal);
      await postern.start();
    },
    reconfigure: postern.reconfigure,
    output: postern.output,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
};
