/**
 * What the gate judged is what the API saw, octet for octet: requests made up by chance are sent over sockets of their own, and everything
 * the API received has to be one of them and has to have a decision of its own, on its own method, path, endpoint and object.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@postern/event-log';
import type { DecisionRecord } from '@postern/schemas';
import fc from 'fast-check';
import { corpusKey } from '../corpus.ts';
import { granted, joined, keyed, role, routes } from '../facts.ts';
import { startTrial } from '../gate.ts';
import { octets } from './octets.ts';
import { octetUpstream } from './upstream.ts';

const user = { template: '/users/{id}', objects: [{ type: 'employee', parameter: 'id', permission: 'view' }] };
const facts = [
  routes(
    'site',
    '/',
    { id: 'site/public', method: 'GET', template: '/public/{path+}', public: true },
    { id: 'site/open', method: 'GET', template: '/open', public: true },
    { id: 'site/admin', method: 'GET', template: '/admin', access: 'admin' },
    { id: 'site/user', method: 'GET', ...user },
    { id: 'site/addUser', method: 'POST', ...user, access: 'write' },
    { id: 'site/delUser', method: 'DELETE', ...user, access: 'write' },
  ),
  role('writer', { service: 'site', access: 'write' }, { object: 'employee:*', permission: 'view' }),
  joined('user:ann'),
  granted('user:ann', 'writer').issued,
  keyed('credential:k1', 'user:ann', corpusKey),
  granted('credential:k1', 'writer').issued,
];

/** The routes once more, by hand: what the API would say that it was asked for. */
const endpointOf = (method: string, path: string): { endpoint?: string; id?: string } => {
  const asked = method === 'HEAD' ? 'GET' : method;
  if (asked === 'GET' && /^\/public(\/[^/]+)+$/.test(path)) return { endpoint: 'site/public' };
  if (asked === 'GET' && path === '/open') return { endpoint: 'site/open' };
  const id = /^\/users\/([^/]+)$/.exec(path)?.[1];
  const endpoint = { GET: 'site/user', POST: 'site/addUser', DELETE: 'site/delUser' }[asked];
  return id === undefined || endpoint === undefined ? {} : { endpoint, id: decodeURIComponent(id) };
};

/** In the graph's ids every octet outside its alphabet is spelled `=` and two digits. */
const unescaped = (object: string): string => decodeURIComponent(object.replaceAll('%', '%25').replaceAll('=', '%'));

/** Longer than any answer takes; a request that is not complete gets none. */
const silenceMs = 150;

/** All that comes back until the gate closes, or falls silent behind a complete answer. */
const exchange = (port: number, text: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')));
    let said = '';
    let timer = setTimeout(() => socket.destroy(), silenceMs);
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), said.startsWith('HTTP/1.1 100') ? silenceMs : 4);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(said);
    });
  });

export type Exactness = {
  readonly sent: number;
  readonly passed: number;
  readonly statuses: ReadonlyMap<number, number>;
};

const refusals = new Set([400, 401, 403, 405]);

export const checkExactness = async (
  log: EventLog,
  requests: number,
  seed: number,
  progress: (done: number) => void = () => {},
): Promise<Exactness> => {
  await using upstream = await octetUpstream();
  await using gate = await startTrial(log, facts, {
    service: 'site',
    config: { upstreams: { site: { upstream: upstream.url, timeoutMs: 5_000, bodyBytesMax: 1_000 } } },
  });
  const statuses = new Map<number, number>();
  const sentLines = new Set<string>();
  let sent = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(octets, async (text) => {
      const before = upstream.received.length;
      // Node's parser takes several spaces between the parts for one (RFC 9112 §3 allows it), and HTTP/1.0; method and target are as they are.
      for (const [, method, target] of text.matchAll(/([A-Z]+) +([^ \r\n]+) +HTTP\/1\.[01]\r?\n/g))
        sentLines.add(`${method} ${target}`);
      const said = await exchange(gate.port, text);
      progress(++sent);
      const answers = [...said.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      for (const status of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const passed = upstream.received.slice(before);
      assert.deepEqual(upstream.nonsense, [], 'the API was sent what is no request');
      for (const { method, target } of passed)
        assert.ok(sentLines.has(`${method} ${target}`), `the API saw ${method} ${target}, which was not sent`);
      for (const status of answers)
        assert.ok(
          refusals.has(status) || [100, 200, 204, 408, 413, 414, 417, 431, 502].includes(status),
          `answered with ${status}`,
        );
      refused += answers.filter((status) => refusals.has(status)).length;
    }),
    { numRuns: requests, seed },
  );
  const { received } = upstream;
  const decided = new Set(received.map(({ decision }) => decision));
  const records = new Map<string, DecisionRecord>();
  // Records are packed: the last ones come a little later.
  for (
    let atLeast = received.length + refused;
    ![...decided].every((id) => records.has(id));
    atLeast = records.size + 1
  ) {
    const more = await Promise.race([gate.decisions(atLeast), sleep(2_000, [])]);
    for (const record of more) records.set(record.id, record);
    if (more.length === 0) break;
  }
  assert.equal(decided.size, received.length, 'each request that the API saw has a decision of its own');
  for (const { method, target, decision } of received) {
    const record = records.get(decision);
    const path = target.split('?')[0] ?? '';
    const { endpoint, id } = endpointOf(method, path);
    assert.deepEqual(
      [record?.outcome, record?.method, record?.path, record?.endpoint, record?.objects?.map(unescaped)],
      ['allow', method, path.slice(0, 2_000), endpoint, id === undefined ? undefined : [`employee:${id}#view`]],
      `${method} ${target}`,
    );
  }
  return { sent, passed: received.length, statuses };
};
