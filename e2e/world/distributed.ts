/**
 * The distributed world: Kafka, SpiceDB on PostgreSQL and another PostgreSQL for the record, each in a container, and every room a
 * `postern serve` process of its own.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedContainer, type StartedKafka, startKafka, startPostgres, startSpiceDb } from '@postern/containers';
import { startCollector } from './collector.ts';
import { startIssuer } from './issuer.ts';
import { commonConfig } from './model.ts';
import { startOperationApis } from './operation-apis.ts';
import { freeAddresses, type Process, posternProcess } from './processes.ts';
import { startTransmitter } from './transmitter.ts';
import { startUpstream } from './upstream.ts';
import { type RoomName, speaking, type World } from './world.ts';

export type DistributedWorld = World & {
  readonly kafka: StartedKafka;
  readonly spicedb: StartedContainer;
  /** The event log's URL, to look at it from outside. */
  readonly eventLogUrl: string;
  readonly stop: (room: RoomName, signal?: NodeJS.Signals) => Promise<void>;
  readonly start: (room: RoomName) => Promise<void>;
  readonly signal: (room: RoomName, signal: 'SIGSTOP' | 'SIGCONT') => void;
};

export type DistributedOptions = {
  readonly leaseMs?: number;
  /** Topics that grants take events from. */
  readonly feeds?: readonly string[];
  /** Two instances of grants: the second proxy sends its commands to the second. */
  readonly grants?: 1 | 2;
  readonly proxies?: 2 | 4;
  /** With the console's room, and an issuer that people sign in with. */
  readonly console?: { readonly issuers: (gates: readonly string[]) => Promise<readonly object[]> };
};

export const distributedWorld = async ({
  leaseMs = 5_000,
  feeds = [],
  grants: grantsCount = 1,
  proxies = 2,
  console,
}: DistributedOptions = {}): Promise<DistributedWorld> => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-many-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const starting = [
    startKafka({ environment: { KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false' } }).then((started) => stack.use(started)),
    startPostgres().then(async (postgres) => {
      stack.use(postgres);
      return stack.use(await startSpiceDb({ postgresUrl: postgres.urlInNetwork }));
    }),
    startPostgres({ alias: 'audit-postgres' }).then((started) => stack.use(started)),
  ] as const;
  // Where one of them fails, the others are still waited for: what has not been taken into the stack cannot be removed.
  await Promise.allSettled(starting);
  const [kafka, spicedb, auditPostgres] = await Promise.all(starting);
  const tokenFile = join(folder, 'rooms.token');
  const spicedbTokenFile = join(folder, 'spicedb.token');
  await writeFile(tokenFile, 'a-token-that-proxies-share-with-the-authorizer', { mode: 0o600 });
  await writeFile(spicedbTokenFile, spicedb.presharedKey, { mode: 0o600 });

  const gateNames = (['proxy-1', 'proxy-2', 'proxy-3', 'proxy-4'] as const satisfies RoomName[]).slice(0, proxies);
  const names: readonly RoomName[] = [
    'grants-1',
    'authorizer',
    'audit',
    ...(console === undefined ? [] : (['console'] as const)),
    ...gateNames,
  ];
  const rooms: readonly RoomName[] = grantsCount === 2 ? [...names, 'grants-2'] : names;
  const free = await freeAddresses(rooms.length * 3);
  const listens = new Map(rooms.map((room, index) => [room, free[index * 2] ?? '']));
  const at = (room: RoomName): string => `http://${listens.get(room) ?? ''}`;
  const h2cOf = (room: RoomName): string => free[rooms.length * 2 + rooms.indexOf(room)] ?? '';
  const gates = gateNames.map(at);

  const collector = stack.use(await startCollector());
  const issuer = stack.use(await startIssuer());
  const transmitter = stack.use(await startTransmitter());
  const upstream = stack.use(await startUpstream(gates));
  const operations = stack.use(await startOperationApis());
  const eventLogUrl = `kafka://${kafka.brokers}/postern`;
  const model = commonConfig({
    upstream: upstream.url,
    issuer: issuer.url,
    transmitter,
    otlp: collector.url,
    services: operations.services,
  });
  const common = {
    ...model,
    ...(console !== undefined && {
      issuers: [...model.issuers, ...(await console.issuers(gates))],
      console: { origins: gates },
    }),
    eventLog: eventLogUrl,
    relationships: `spicedb://${spicedb.endpoint}?tokenFile=${spicedbTokenFile}`,
    auditStore: auditPostgres.url,
    leaseMs,
    feeds: feeds.map((topic) => ({ kafka: `kafka://${kafka.brokers}/${topic}` })),
    data: './data',
  };
  const processes = new Map<RoomName, Process>();
  stack.defer(async () => void (await Promise.all([...processes.values()].map((each) => each[Symbol.asyncDispose]()))));
  for (const [index, room] of rooms.entries()) {
    const kind = room.replace(/-\d$/, '');
    const grants = grantsCount === 2 && room === 'proxy-2' ? at('grants-2') : at('grants-1');
    const config = {
      ...common,
      health: free[index * 2 + 1] ?? '',
      ...(kind === 'proxy' && { listen: listens.get(room), h2c: h2cOf(room) }),
      rooms: {
        authorizer: at('authorizer'),
        audit: at('audit'),
        grants,
        ...(console !== undefined && { console: at('console') }),
        tokenFile,
        ...(kind !== 'proxy' && { listen: listens.get(room) }),
      },
    };
    const started = await posternProcess({ folder: join(folder, room), args: ['serve', kind], config });
    processes.set(room, started);
  }
  const processOf = (room: RoomName): Process => {
    const found = processes.get(room);
    if (found === undefined) throw new RangeError(`this world has no ${room}`);
    return found;
  };
  const output = (): string => [...processes].map(([room, process]) => `── ${room}\n${process.output()}`).join('\n');
  await Promise.all(names.map((room) => processOf(room).start()));
  // The first start mints the administrator, once: the second instance comes when that is done.
  if (grantsCount === 2) await processOf('grants-2').start();
  const key = (await readFile(join(processOf('grants-1').folder, 'data/admin.key'), 'utf8')).trim();
  // A gate is ready when it has reached the head that it saw; the key is a fact like any other and may come right behind it.
  await Promise.all(gates.map((gate) => knows(gate, key)));

  const owned = stack.move();
  return {
    kind: 'distributed',
    gates,
    h2c: [h2cOf('proxy-1'), h2cOf('proxy-2')],
    key,
    issuer,
    transmitter,
    upstream,
    operations,
    collector,
    kafka,
    spicedb,
    eventLogUrl,
    ...speaking(gates, () => key, issuer),
    health: (room) => processOf(room).health(),
    start: (room) => processOf(room).start(),
    stop: (room, signal) => processOf(room).stop(signal),
    signal: (room, signal) => processOf(room).signal(signal),
    restart: async (room, signal) => {
      await processOf(room).stop(signal);
      await processOf(room).start();
    },
    reconfigure: async (change) => {
      for (const room of rooms) if (room.startsWith('grants')) await processOf(room).reconfigure(change);
    },
    output,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
};

const knows = async (gate: string, key: string): Promise<void> => {
  for (let tries = 0; tries < 100; tries++) {
    const { status } = await fetch(`${gate}/.postern/roles`, { headers: { 'x-api-key': key } });
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${gate} does not know the administrator's key`);
};
