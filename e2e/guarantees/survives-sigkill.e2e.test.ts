/**
 * A process that is killed at any moment, commands in flight, loses nothing it acknowledged and applies nothing twice. A random
 * history goes through the gate, several lanes at once; what was not answered is sent again after the restart, under the same id.
 * POSTERN_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { createHash, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRelationships } from '@postern/relationships/open';
import {
  type CredentialId,
  Organisation,
  type PrincipalId,
  relationshipText,
  type Sequence,
  type SubjectId,
} from '@postern/schemas';
import { postern } from '../world/command.ts';
import { type DemoWorld, demoWorld } from '../world/embedded.ts';
import { factsIn } from '../world/read-back.ts';
import { type Acknowledged, history, type Sent, seeded } from './random-history.ts';

const kills = 4;
const lanes = 6;
const endpoints = [
  'listEmployees',
  'addEmployee',
  'getEmployee',
  'changeSalary',
  'getPayslip',
  'runPayroll',
  'followPayroll',
];

/** Sends until the answer is there, however often the process dies meanwhile: an HR system's outbox. */
const deliver = async (world: DemoWorld, item: Sent, alive: () => Promise<void>): Promise<Acknowledged> => {
  for (;;) {
    await alive();
    try {
      const response = await fetch(`${world.gate}/.postern${item.path}`, {
        method: item.method,
        headers: { 'x-api-key': world.key, 'content-type': item.contentType, ...item.headers },
        body: JSON.stringify(item.body),
        signal: AbortSignal.timeout(20_000),
      });
      const body = (await response.json()) as Record<string, unknown>;
      // Refusals of content are answers; that it cannot answer now is none.
      if (response.status < 500) return { item, status: response.status, body };
    } catch {
      // Killed while it was asked: nobody knows whether it happened.
    }
    await sleep(20);
  }
};

const digestOf = (texts: Iterable<string>): string =>
  createHash('sha256')
    .update([...texts].sort().join('\n'))
    .digest('hex');

test('a killed process keeps what it acknowledged, exactly once, and decides as the facts say', async (context) => {
  const seed = Number(process.env['POSTERN_SEED'] ?? randomInt(2 ** 31));
  context.diagnostic(`POSTERN_SEED=${seed}`);
  const random = seeded(seed);
  const world = await demoWorld();
  try {
    let up = Promise.resolve();
    const alive = () => up;
    const acknowledged: Acknowledged[] = [];
    const planned = history(random, lanes);
    let killing = true;

    const killer = (async () => {
      for (let kill = 0; kill < kills; kill++) {
        await sleep(150 + random(900));
        const { promise, resolve } = Promise.withResolvers<void>();
        up = promise;
        await world.restart('SIGKILL');
        resolve();
        const { code, stdout } = await postern(['audit', 'verify', '--gate', world.gate], { cwd: world.folder });
        assert.equal(code, 0, stdout);
        assert.match(stdout, /facts +intact/);
        assert.match(stdout, /decisions +intact/);
      }
      killing = false;
    })();
    const killed = killer.catch((error) => {
      killing = false;
      throw error;
    });
    await Promise.all([
      killed,
      ...planned.map(async (lane) => {
        while (killing || lane.owes()) {
          const item = lane.next();
          const answer = await deliver(world, item, alive);
          lane.answered(answer);
          acknowledged.push(answer);
        }
      }),
    ]);

    // The model: what the facts say, folded here.
    const live = await asked(world);
    await world.running().process.kill('SIGKILL');
    await world.running().ended;
    const facts = await factsIn(`file:${join(world.folder, '.postern')}`);
    assert.deepEqual(
      facts.map(({ sequence }) => sequence),
      facts.map((_, index) => index + 1),
      'dense sequences',
    );

    const byInbound = Map.groupBy(facts, ({ fact }) => JSON.stringify([fact.inboundsource, fact.inboundid]));
    let changed = 0;
    for (const { item, status, body } of acknowledged) {
      if (status >= 300) continue;
      const written = byInbound.get(JSON.stringify([item.source, item.id])) ?? [];
      if (written.length === 0) {
        assert.equal(item.mayChangeNothing, true, `${item.id} was acknowledged and is not in the log`);
        continue;
      }
      changed++;
      assert.equal(new Set(written.map(({ envelope }) => envelope.appendid)).size, 1, `${item.id} was applied once`);
      assert.equal(Number(written.at(-1)?.sequence), body['sequence'], `${item.id} has the sequence it was told`);
    }
    for (const { item } of acknowledged.filter(({ status }) => status >= 400))
      assert.equal(byInbound.has(JSON.stringify([item.source, item.id])), false, `${item.id} was refused`);

    const organisation = new Organisation();
    for (const entry of facts) organisation.apply(entry);
    const folded = digestOf([...organisation.relationships()].map(relationshipText));

    // The same graph, built anew by writing each fact's updates into an engine of the test's own, and read back from it.
    await using engine = await openRelationships('embedded:');
    await engine.writeSchema(organisation.schema ?? '');
    const replay = new Organisation();
    for (const entry of facts) {
      const written = await engine.project({
        from: (entry.sequence - 1) as Sequence,
        to: entry.sequence,
        updates: replay.apply(entry),
        facts: [entry.fact.id],
        actor: entry.fact.authid,
      });
      assert.equal(written.outcome, 'written');
    }
    const rebuilt = digestOf((await Array.fromAsync(engine.read())).map(relationshipText));
    assert.equal(rebuilt, folded, 'the engine rebuilt fact by fact holds what the fold says');

    // And the started process answered as that graph does, for every endpoint.
    for (const { endpoint, subjects } of live.who) {
      const expected: string[] = [];
      for (const type of ['user', 'workload', 'credential'])
        for await (const { id, conditional } of engine.subjects({
          resource: `endpoint:${endpoint}`,
          permission: 'call',
          subjectType: type,
        }))
          expected.push(`${type}:${id} ${conditional}`);
      const names = new Set(expected.map((each) => each.split(' ')[0]));
      const narrowed = expected.filter((each) => {
        const owner = organisation.credentials.get(each.split(' ')[0] as CredentialId)?.owner;
        return owner === undefined || names.has(owner);
      });
      const plain = narrowed.map((each) => each.split(' ')[0]).sort();
      assert.deepEqual(subjects.map(({ subject }) => subject).sort(), plain, `who may call ${endpoint}`);
    }
    for (const { principal, endpoint, status } of live.calls)
      assert.equal(
        status === 403 ? 'refused' : `let through: ${Math.floor(status / 100)}xx`,
        mayCall(organisation, principal, endpoint) ? 'let through: 2xx' : 'refused',
        `${principal} ${endpoint}`,
      );
    for (const [principal, { state }] of organisation.principals)
      if (state === 'left') assert.equal(live.what.get(principal) ?? 0, 0, `${principal} has left`);
    assert.equal(live.factsInRecord, live.sequence, 'the record holds every fact');
    context.diagnostic(
      `${kills} kills, ${acknowledged.length} acknowledged (${changed} changed something), ${facts.length} facts, ` +
        `${live.calls.length} calls at the gate, relationships sha256 ${folded.slice(0, 16)}…`,
    );
    assert.ok(changed > 30, 'the history did something');
  } finally {
    await world[Symbol.asyncDispose]();
  }
});

/** The model, in the plainest words: some live grant of the person or of a group around it reaches the endpoint, and its conditions hold for a call from this machine. */
const mayCall = (organisation: Organisation, principal: PrincipalId, id: string): boolean => {
  const endpoint = [...organisation.services.values()]
    .flatMap(({ endpoints: all }) => all)
    .find((each) => each.id === id);
  const covered = { read: ['read'], write: ['read', 'write'], admin: ['read', 'write', 'admin'] } as const;
  const holders = [
    principal as SubjectId,
    ...[...organisation.groups.around(principal)].map((group) => `${group}#member` as SubjectId),
  ];
  return holders
    .flatMap((holder) => organisation.grantsOf(holder))
    .some(
      ({ role, conditions }) =>
        conditions?.cidrs === undefined &&
        conditions?.countries === undefined &&
        organisation.roles
          .get(role)
          ?.allows.some((allowance) =>
            'endpoint' in allowance
              ? allowance.endpoint === id
              : 'service' in allowance &&
                allowance.service === 'payroll' &&
                covered[allowance.access].some((access) => access === endpoint?.access),
          ),
    );
};

type Who = { endpoint: string; sequence: number; subjects: { subject: string; conditional: boolean }[] };

/** Everything that the started process says about who may do what, and the gate's own decisions. */
const asked = async (world: DemoWorld) => {
  const get = async <Body>(path: string): Promise<Body> => {
    const response = await fetch(`${world.gate}/.postern${path}`, { headers: { 'x-api-key': world.key } });
    assert.equal(response.status, 200, path);
    return (await response.json()) as Body;
  };
  const who: Who[] = [];
  for (const name of endpoints) who.push(await get<Who>(`/who?endpoint=payroll/${name}`));
  const people = [...new Set(who.flatMap(({ subjects }) => subjects.map(({ subject }) => subject)))];
  const what = new Map<PrincipalId, number>();
  const calls: { principal: PrincipalId; endpoint: string; status: number }[] = [];
  const everybody = [...Array.from({ length: 8 }, (_, n) => `user:p${n}`), 'user:bob', 'user:carol', 'user:nobody'];
  for (const principal of everybody) {
    const { endpoints: may } = await get<{ endpoints: unknown[] }>(`/what?subject=${principal}`);
    what.set(principal as PrincipalId, may.length);
    const token = await world.token(principal.slice('user:'.length));
    for (const [endpoint, method, path] of [
      ['payroll/listEmployees', 'GET', '/payroll/employees'],
      ['payroll/changeSalary', 'PATCH', '/payroll/employees/42'],
      ['payroll/runPayroll', 'POST', '/payroll/runs'],
    ] as const) {
      const { status } = await fetch(world.gate + path, { method, headers: { authorization: `Bearer ${token}` } });
      calls.push({ principal: principal as PrincipalId, endpoint, status });
    }
  }
  assert.ok(people.length > 0, 'somebody may do something');
  const { sequence } = await get<{ sequence: number }>('/grants');
  for (;;) {
    const { size } = await get<{ size: number }>('/audit/facts?limit=1');
    if (size >= sequence) return { who, what, calls, sequence, factsInRecord: size };
    await sleep(50);
  }
};
