/**
 * What it costs to bring an organisation by a Kafka topic: a real broker, and as many of the rooms as are asked for, each a process.
 *
 *   node e2e/load/feed-import.ts [--people 100000] [--memberships 500000] [--group 500] [--each] [--rooms grants|all] [--folder DIR]
 *
 * `--each`: every membership is an event of its own. Tells the rate at which facts become durable, how far the other rooms are behind
 * and the largest resident memory of each process; then sends the same topic's content again, which has to write nothing.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startKafka, startPostgres, startSpiceDb } from '@postern/containers';
import { openEventLog } from '@postern/event-log/open';
import { freeAddresses, type Process, posternProcess } from '../world/processes.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '100000' },
    memberships: { type: 'string', default: '500000' },
    group: { type: 'string', default: '500' },
    each: { type: 'boolean', default: false },
    rooms: { type: 'string', default: 'grants' },
    again: { type: 'boolean', default: false },
  },
});
const people = Number(values.people);
const memberships = Number(values.memberships);
const groupSize = Math.min(Number(values.group), people);
const groups = Math.ceil(memberships / groupSize);

const padded = (n: number): string => String(n).padStart(8, '0');
const time = '2026-01-01T00:00:00.000Z';
const event = (id: string, type: string, subject: string, data: object) => ({
  key: subject,
  bytes: Buffer.from(
    JSON.stringify({ specversion: '1.0', source: '/hr', id, type: `postern.${type}.v1`, subject, time, data }),
  ),
  headers: { 'content-type': 'application/cloudevents+json' },
});
function* events() {
  for (let n = 0; n < people; n++)
    yield event(`p${n}`, 'person.joined', `user:p${padded(n)}`, {
      department: `D${n % 25}`,
      title: `T${n % 40}`,
      location: `L${n % 12}`,
      ...(n >= 10 && { manager: `user:p${padded(Math.floor(n / 10))}` }),
    });
  for (let n = 0; n < groups; n++) {
    const count = Math.min(groupSize, memberships - n * groupSize);
    const members = Array.from({ length: count }, (_, at) => `user:p${padded((n * 7919 + at) % people)}`);
    const group = `group:g${padded(n)}`;
    if (values.each)
      for (const [at, member] of members.entries())
        yield event(`g${n}-${at}`, 'group.changed', group, { add: [member], remove: [] });
    else yield event(`g${n}`, 'group.changed', group, { add: members, remove: [] });
  }
}
const wanted = people + (values.each ? memberships : groups);

const number = (value: number): string => Math.round(value).toLocaleString('en');
const tell = (text: string): void => void process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
const peaks = new Map<string, number>();
/** The processes that this one has started, by room: what each has resident now, in MB. */
const memory = async (): Promise<Map<string, number>> => {
  const found = new Map<string, number>();
  for (const pid of await readdir('/proc')) {
    const status = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '') : '';
    if (!new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(status)) continue;
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const room = words[words.indexOf('serve') + 1] ?? 'other';
    found.set(room, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_000);
  }
  for (const [room, mb] of found) peaks.set(room, Math.max(peaks.get(room) ?? 0, mb));
  return found;
};

await using stack = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'postern-feed-'));
stack.defer(() => rm(folder, { recursive: true, force: true }));
tell(
  `${number(people)} people, ${number(memberships)} memberships in ${number(groups)} groups, ${values.each ? 'one event each' : 'one event a group'}; ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
);
const kafka = stack.use(await startKafka({ environment: { KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false' } }));
const all = values.rooms === 'all';
const common: Record<string, unknown> = {
  eventLog: `kafka://${kafka.brokers}/postern`,
  model: { roles: './roles.yaml' },
  services: { things: { mount: '/things', openapi: './things.yaml', upstream: 'http://127.0.0.1:1' } },
  feeds: [{ kafka: `kafka://${kafka.brokers}/hr.quarantine` }],
  data: './data',
};
if (all) {
  const engine = stack.use(await startPostgres());
  const spicedb = stack.use(await startSpiceDb({ postgresUrl: engine.urlInNetwork }));
  const record = stack.use(await startPostgres({ alias: 'audit-postgres' }));
  await writeFile(join(folder, 'spicedb.token'), spicedb.presharedKey, { mode: 0o600 });
  common['relationships'] = `spicedb://${spicedb.endpoint}?tokenFile=${join(folder, 'spicedb.token')}`;
  common['auditStore'] = record.url;
}
await writeFile(join(folder, 'rooms.token'), 'a-token-that-proxies-share-with-the-authorizer', { mode: 0o600 });
const names = all ? ['grants', 'authorizer', 'audit', 'proxy'] : ['grants'];
const free = await freeAddresses(names.length * 3);
const at = (room: string): string => `http://${free[names.indexOf(room)] ?? '127.0.0.1:1'}`;
const rooms = new Map<string, Process>();
for (const [index, room] of names.entries()) {
  const own = join(folder, room);
  const config = {
    ...common,
    health: free[names.length + index] ?? '',
    ...(room === 'proxy' && { listen: free[index], h2c: free[2 * names.length + index] }),
    rooms: {
      authorizer: at('authorizer'),
      grants: at('grants'),
      audit: at('audit'),
      tokenFile: join(folder, 'rooms.token'),
      ...(room !== 'proxy' && { listen: free[index] }),
    },
  };
  const made = await posternProcess({ folder: own, args: ['serve', room], config });
  stack.defer(() => made[Symbol.asyncDispose]());
  await writeFile(join(own, 'roles.yaml'), 'thing-reader: { allows: [{ service: things, access: read }] }\n');
  await writeFile(join(own, 'things.yaml'), 'openapi: 3.1.0\npaths:\n  /list:\n    get: { operationId: listThings }\n');
  rooms.set(room, made);
}

const hr = stack.use(await openEventLog(`kafka://${kafka.brokers}/hr`));
const log = stack.use(await openEventLog(`kafka://${kafka.brokers}/postern`));
const publish = async (): Promise<void> => {
  let some: ReturnType<typeof event>[] = [];
  let bytes = 0;
  for (const each of events()) {
    some.push(each);
    bytes += each.bytes.byteLength + 200;
    if (bytes < 700_000) continue;
    await hr.quarantine.publish(some);
    some = [];
    bytes = 0;
  }
  if (some.length > 0) await hr.quarantine.publish(some);
};
const began = performance.now();
await publish();
tell(`the topic holds ${number(wanted)} events, written in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
await Promise.all([...rooms.values()].map((room) => room.start()));
const metric = async (room: string, name: string): Promise<number> => {
  const response = await fetch(`http://${free[names.length + names.indexOf(room)]}/metrics`).catch(() => undefined);
  const text = (await response?.text()) ?? '';
  const line = text.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
  return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? Number.NaN);
};
const until = async (what: string, reached: () => Promise<number>, target: number): Promise<number> => {
  const started = performance.now();
  const from = await reached();
  for (let last = performance.now(); ; ) {
    const now = await reached();
    const used = await memory();
    if (performance.now() - last > 5_000 || now >= target) {
      last = performance.now();
      const seconds = (last - started) / 1_000;
      tell(
        `${what} ${number(now)} of ${number(target)}, ${seconds.toFixed(1)} s, ${number((now - from) / seconds)}/s; ${[...used].map(([room, mb]) => `${room} ${number(mb)} MB`).join(', ')}`,
      );
    }
    if (now >= target) return (performance.now() - started) / 1_000;
    await sleep(200);
  }
};
const head = () => metric('grants', 'postern_grants_head_sequence');
const seconds = await until('facts', head, wanted);
tell(
  `durable: ${number(wanted / seconds)} facts/s, people and memberships ${number((people + memberships) / seconds)}/s`,
);
if (all) await until('projected', () => metric('authorizer', 'postern_authorizer_projected_sequence'), wanted);
if (values.again) {
  const before = await log.facts.head();
  const from = performance.now();
  await publish();
  await until('handled again', async () => metric('grants', 'postern_grants_feed_messages_total'), 2 * wanted);
  tell(
    `the same again: ${((performance.now() - from) / 1_000).toFixed(1)} s, ${number((await log.facts.head()) - before)} facts`,
  );
}
tell(`at most: ${[...peaks].map(([room, mb]) => `${room} ${number(mb)} MB`).join(', ')}`);
