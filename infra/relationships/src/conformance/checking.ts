import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { gateSchema, isProblem } from '@postern/schemas';
import { ask, edge, holds, type Stage } from './stage.ts';

type Test = (stage: Stage) => Promise<void>;
const at = (now: string) => ({ now });
const verdicts = async ({ engine }: Stage, ...items: Parameters<Stage['engine']['check']>[0]) =>
  (await engine.check(items)).map(({ verdict }) => verdict);

/** Promises about asking: conditions, context, snapshots, look-ups; the regression tests of the engine's known traps. */
export const checking: Readonly<Record<string, Test>> = {
  'finds access through role, group and service': async (stage) => {
    await stage.write([
      edge('group:hr', 'member', 'user:ann'),
      edge('role:admins', 'holder', 'group:hr#member'),
      edge('service:payroll', 'administrator', 'role:admins#holder'),
      edge('endpoint:payroll/setPay', 'writes', 'service:payroll'),
    ]);
    const question = { resource: 'endpoint:payroll/setPay', permission: 'call' };
    assert.deepEqual(
      await verdicts(stage, { ...question, subject: 'user:ann' }, { ...question, subject: 'user:bob' }),
      ['has', 'has-not'],
    );
  },

  'sees every write at the zookie it returned': async ({ engine, write }) => {
    for (let n = 0; n < 20; n++) {
      assert.deepEqual(await engine.check([ask('user:ann')], await write([holds('user:ann')])), [{ verdict: 'has' }]);
      const gone = await write([], [holds('user:ann')]);
      assert.deepEqual(await engine.check([ask('user:ann')], gone), [{ verdict: 'has-not' }]);
    }
  },

  'names each missing field once, and only those that the alternatives need': async ({ engine, write }) => {
    await write([
      holds('user:time', [{ from: '2026-01-01T00:00:00Z', until: '2027-01-01T00:00:00Z' }]),
      holds('user:place', [{ countries: ['DE'] }, { cidrs: ['10.0.0.0/8'] }]),
      holds('user:both', [{ from: '2026-01-01T00:00:00Z' }, { cidrs: ['10.0.0.0/8'], until: '2027-01-01T00:00:00Z' }]),
      holds('user:free'),
    ]);
    assert.deepEqual(await engine.check(['user:time', 'user:place', 'user:both', 'user:free'].map((who) => ask(who))), [
      { verdict: 'depends', on: ['now'] },
      { verdict: 'depends', on: ['ip', 'country'] },
      { verdict: 'depends', on: ['now', 'ip'] },
      { verdict: 'has' },
    ]);
    assert.deepEqual(await engine.check([ask('user:both', { now: '2025-01-01T00:00:00Z' })]), [
      { verdict: 'depends', on: ['ip'] },
    ]);
  },

  'a time window holds from its first instant and not at its last': async (stage) => {
    await stage.write([holds('user:ann', [{ from: '2026-03-01T08:00:00Z', until: '2026-03-01T12:00:00+02:00' }])]);
    const times = ['07:59:59', '08:00:00', '09:59:59', '10:00:00'].map((time) => at(`2026-03-01T${time}Z`));
    assert.deepEqual(await verdicts(stage, ...times.map((time) => ask('user:ann', time))), [
      'has-not',
      'has',
      'has',
      'has-not',
    ]);
  },

  'weekly hours are those of their zone, in summer and in winter': async (stage) => {
    const hours = { tz: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: 540, to: 1020 };
    await stage.write([holds('user:ann', [{ hours }])]);
    const times = [
      '2026-07-06T07:00:00Z', // Monday 09:00 in Berlin
      '2026-07-06T06:59:59Z',
      '2026-07-06T15:00:00Z', // 17:00, no longer
      '2026-01-05T07:30:00Z', // Monday 08:30 in winter
      '2026-01-05T08:00:00Z',
      '2026-07-05T08:00:00Z', // Sunday
    ];
    assert.deepEqual(await verdicts(stage, ...times.map((time) => ask('user:ann', at(time)))), [
      'has',
      'has-not',
      'has-not',
      'has-not',
      'has',
      'has-not',
    ]);
  },

  'an IPv4 address inside IPv6 is the IPv4 address': async (stage) => {
    await stage.write([holds('user:ann', [{ cidrs: ['10.0.0.0/8', '2001:db8::/32'] }])]);
    const addresses = [
      '10.1.2.3',
      '::ffff:10.1.2.3',
      '::ffff:a01:203',
      '2001:db8::1',
      '::ffff:11.1.2.3',
      '2001:db9::1',
    ];
    assert.deepEqual(await verdicts(stage, ...addresses.map((ip) => ask('user:ann', { ip }))), [
      'has',
      'has',
      'has',
      'has',
      'has-not',
      'has-not',
    ]);
  },

  'a bad context value fails its own item alone': async (stage) => {
    await stage.write([holds('user:ann', [{ cidrs: ['10.0.0.0/8'] }])]);
    const addresses = ['10.1.2.3', 'garbage', '10.1.2.3'].map((ip) => ask('user:ann', { ip }));
    assert.deepEqual(await verdicts(stage, ...addresses, ask('user:ann', { now: 'noon', ip: '10.1.1.1' })), [
      'has',
      'failed',
      'has',
      'failed',
    ]);
  },

  'an object that the schema does not know fails its own item alone': async (stage) => {
    await stage.write([holds('user:ann')]);
    const strange = { ...ask('user:ann'), resource: 'spaceship:one' };
    const unknown = { ...ask('user:ann'), permission: 'nonsense' };
    assert.deepEqual(await verdicts(stage, strange, ask('user:ann'), unknown), ['failed', 'has', 'failed']);
  },

  'alternatives whose lists hold the same values in another nesting do not share an answer': async (stage) => {
    await stage.write([
      holds('user:and', [{ cidrs: ['10.0.0.0/8'], countries: ['DE'] }]),
      holds('user:ors', [{ cidrs: ['10.0.0.0/8'] }, { countries: ['DE'] }]),
      holds('user:one', [{ countries: ['DE', 'FR'], cidrs: ['10.0.0.0/8'] }]),
      holds('user:two', [{ countries: ['DE'] }, { countries: ['FR'], cidrs: ['10.0.0.0/8'] }]),
    ]);
    const away = { ip: '11.1.1.1', country: 'DE', now: '2026-01-01T00:00:00Z' };
    for (const names of [
      ['and', 'ors', 'one', 'two'],
      ['two', 'one', 'ors', 'and'],
    ])
      for (let again = 0; again < 2; again++)
        assert.deepEqual(
          await verdicts(stage, ...names.map((name) => ask(`user:${name}`, away))),
          names.map((name) => (name === 'and' || name === 'one' ? 'has-not' : 'has')),
        );
  },

  'an unconditional relationship replaces a conditional one, and the other way round': async (stage) => {
    const inside = [{ cidrs: ['10.0.0.0/8'] }];
    await stage.write([holds('user:ann', inside)]);
    assert.deepEqual(await verdicts(stage, ask('user:ann', { ip: '11.1.1.1' })), ['has-not']);
    await stage.write([holds('user:ann')]);
    assert.deepEqual(await verdicts(stage, ask('user:ann')), ['has']);
    await stage.write([holds('user:ann', inside)]);
    assert.deepEqual(await verdicts(stage, ask('user:ann'), ask('user:ann', { ip: '11.1.1.1' })), [
      'depends',
      'has-not',
    ]);
    assert.equal((await stage.all()).length, 2);
  },

  'a condition that is over refuses, whatever the engine has cached': async (stage) => {
    await stage.write([holds('user:ann', [{ until: '2026-03-01T00:00:00Z' }])]);
    for (let second = 57; second < 63; second++) {
      const now = new Date(Date.UTC(2026, 1, 28, 23, 59, second)).toISOString();
      assert.deepEqual(await verdicts(stage, ask('user:ann', { now })), [second < 60 ? 'has' : 'has-not']);
    }
  },

  'answers more questions than one call takes, in their order': async (stage) => {
    await stage.write(Array.from({ length: 50 }, (_, n) => holds(`user:u${n * 2}`)));
    const items = Array.from({ length: 2_100 }, (_, n) => ask(`user:u${n % 100}`));
    assert.deepEqual(
      await verdicts(stage, ...items),
      items.map((_, n) => (n % 2 === 0 ? 'has' : 'has-not')),
    );
  },

  "names the parameters of a schema's own caveats apart": async ({ engine, write }) => {
    await engine.writeSchema(
      `${gateSchema}\ncaveat soft(action_properties map<any>) {\n\taction_properties.soft == true\n}\ndefinition record {\n\trelation owner: user | user with soft\n\tpermission erase: user = owner\n}\n`,
    );
    await write([{ ...edge('record:one', 'owner', 'user:ann'), caveat: { name: 'soft' } }]);
    const question = { resource: 'record:one', permission: 'erase', subject: 'user:ann' };
    assert.deepEqual(await engine.check([question, { ...question, context: { action_properties: { soft: true } } }]), [
      { verdict: 'depends', on: [], parameters: ['action_properties'] },
      { verdict: 'has' },
    ]);
  },

  'lists who and what, and whether under conditions': async ({ engine, write }) => {
    const zookie = await write([
      holds('user:ann'),
      holds('group:hr#member', [{ countries: ['DE'] }]),
      edge('group:hr', 'member', 'user:bob'),
      edge('group:hr', 'member', 'user:ann'),
      edge('endpoint:payroll/list', 'caller', 'role:reader#holder'),
    ]);
    const query = { resource: 'endpoint:payroll/getEmployee', permission: 'call', subjectType: 'user' };
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
    assert.deepEqual((await Array.fromAsync(engine.subjects(query, zookie))).sort(byId), [
      { id: 'ann', conditional: false },
      { id: 'bob', conditional: true },
    ]);
    const what = { subject: 'user:bob', permission: 'call', resourceType: 'endpoint' };
    assert.deepEqual((await Array.fromAsync(engine.resources(what, zookie))).sort(byId), [
      { id: 'payroll/getEmployee', conditional: true },
      { id: 'payroll/list', conditional: true },
    ]);
  },

  'a look-up that it cannot answer is refused, read or not, and the engine goes on': async ({ engine, write }) => {
    await write([holds('user:ann')]);
    const query = { resource: 'endpoint:payroll/getEmployee', permission: 'call', subjectType: 'spaceship' };
    await assert.rejects(Array.fromAsync(engine.subjects(query)), (error) =>
      isProblem(error, 'authorizer/bad-question'),
    );
    const what = { subject: 'user:ann', permission: 'call', resourceType: 'spaceship' };
    await assert.rejects(Array.fromAsync(engine.resources(what)), (error) =>
      isProblem(error, 'authorizer/bad-question'),
    );
    engine.subjects(query);
    engine.resources(what);
    await sleep(50);
    assert.deepEqual(await engine.check([ask('user:ann')]), [{ verdict: 'has' }]);
  },

  'a reader may leave in the middle': async ({ engine, write }) => {
    await write(Array.from({ length: 900 }, (_, n) => holds(`user:u${n}`)));
    for await (const relationship of engine.read()) {
      assert.ok(relationship.resource);
      break;
    }
    await sleep(50);
    assert.deepEqual(await engine.check([ask('user:u1')]), [{ verdict: 'has' }]);
  },

  'answers a ping': ({ engine }) => engine.ping(),
};
