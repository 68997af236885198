/** What HR systems send late, early, wrongly and in their own words. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { postern } from '../world/command.ts';
import { root } from '../world/embedded.ts';
import type { World } from '../world/world.ts';
import { enforced, eventually, isRefused, joined, left, passes } from './expectations.ts';
import { recorded } from './record.ts';

const employees = '/payroll/employees';
const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

export const feedJourneys = (world: () => World): void => {
  describe('feeds', () => {
    const cli = async (args: readonly string[], input?: string) => {
      const w = world();
      const env = { POSTERN_URL: w.gates[0] ?? '', POSTERN_KEY: w.key };
      const { code, stdout, stderr } = await postern(args, { cwd: root, env, ...(input !== undefined && { input }) });
      assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
      return stdout;
    };
    type Item = { id: string; event?: { id: string }; why?: string };
    const found = async (args: readonly string[], event: string): Promise<Item | undefined> => {
      const body = JSON.parse(await cli([...args, '--json'])) as Item[] | { items: Item[] };
      return (Array.isArray(body) ? body : body.items).find((item) => item.event?.id === event);
    };

    test('a leaver stays gone when an older joined event arrives late, and a newer one brings them back', async () => {
      const w = world();
      const as = { token: await w.token('late') };
      await enforced(w, { ...left('user:late'), time: minutesAgo(10) });
      await enforced(w, { ...joined('user:late', 'finance'), time: minutesAgo(20) });
      await isRefused(w, employees, { as });
      await enforced(w, { ...joined('user:late', 'finance'), time: minutesAgo(5) });
      await passes(w, employees, { as });
      await enforced(w, {
        type: 'postern.person.moved.v1',
        subject: 'user:late',
        data: { department: 'sales', effective: minutesAgo(7) },
      });
      await passes(w, employees, { as });
    });

    test('a leaving that is dated ahead waits through a crash, is listed, and takes effect by itself, once', async () => {
      const w = world();
      const as = { token: await w.token('ahead') };
      await enforced(w, joined('user:ahead', 'finance'));
      const due = new Date(Date.now() + 12_000).toISOString();
      const sent = await w.send({ ...left('user:ahead'), id: 'ahead-1', data: { effective: due } });
      assert.deepEqual([sent.status, sent.body['effect'], sent.body['due']], [202, 'scheduled', due], sent.text);
      await passes(w, employees, { as });
      await w.restart('grants-1', 'SIGKILL');
      const waits = await found(['feeds', 'scheduled'], 'ahead-1');
      if (Date.now() < Date.parse(due)) assert.ok(waits, 'it is listed while it waits');
      const fact = await recorded(w, 'facts?subject=user:ahead&type=postern.principal.left.v1');
      const { time, recordedtime } = fact.body as { time: string; recordedtime: string };
      assert.equal(time, due);
      assert.ok(recordedtime >= due, 'not early');
      await eventually('ahead is refused', async () => (await w.call(employees, { as })).status === 403 || undefined);
      await isRefused(w, employees, { as });
      const { body } = await w.call('/.postern/audit/facts?subject=user:ahead&type=postern.principal.left.v1');
      assert.equal((body['items'] as unknown[]).length, 1);
    });

    test('what is cancelled before its time never comes', async () => {
      const w = world();
      await enforced(w, joined('user:stays', 'finance'));
      await w.send({ ...left('user:stays'), id: 'stays-1', time: new Date(Date.now() + 3_600_000).toISOString() });
      const waits = await found(['feeds', 'scheduled'], 'stays-1');
      await cli(['feeds', 'cancel', waits?.id ?? '', '--reason', 'withdrew the notice']);
      assert.equal(await found(['feeds', 'scheduled'], 'stays-1'), undefined);
    });

    test('what cannot be applied is listed with its reason, put right from a terminal, and known when it comes again', async () => {
      const w = world();
      const as = { token: await w.token('wrong') };
      await enforced(w, joined('user:wrong'));
      const event = {
        id: 'wrong-1',
        source: '/e2e/wrong',
        type: 'postern.person.moved.v1',
        subject: 'user:wrnog',
        data: { department: 'finance' },
      };
      const refused = await w.send(event);
      assert.equal(refused.status, 422, refused.text);
      const item = await found(['feeds', 'quarantine', 'list'], 'wrong-1');
      assert.equal(item?.id, refused.body['quarantined']);
      assert.match(item?.why ?? '', /user:wrnog is not known here/);
      const shown = JSON.parse(await cli(['feeds', 'quarantine', 'show', item?.id ?? ''])) as Record<string, unknown>;
      const corrected = JSON.stringify({ ...shown, subject: 'user:wrong' });
      const fix = ['feeds', 'quarantine', 'fix', item?.id ?? '', '-', '--reason', 'misspelt', '--wait', 'enforced'];
      await cli(fix, corrected);
      await passes(w, employees, { as });
      assert.equal(await found(['feeds', 'quarantine', 'list'], 'wrong-1'), undefined);
      const released = await recorded(w, 'facts?type=postern.event.released.v1');
      assert.deepEqual([released['actor'], released['reason']], ['user:admin', 'misspelt']);
      const again = await w.send(event);
      assert.deepEqual([again.status, again.body['repeated']], [202, true], again.text);
    });

    test('a system that speaks no CloudEvents is understood by its rule', async () => {
      const w = world();
      const as = { token: await w.token('Ms Foreign') };
      const hired = await w.call('/.postern/events/staff?wait=enforced', {
        method: 'POST',
        body: { number: 1, login: 'Ms Foreign', unit: 'finance' },
      });
      assert.equal(hired.status, 202, hired.text);
      await passes(w, employees, { as });
      const gone = await w.call('/.postern/events/staff?wait=enforced', {
        method: 'POST',
        body: { number: 2, login: 'Ms Foreign', leaves: true },
      });
      assert.equal(gone.status, 202, gone.text);
      await isRefused(w, employees, { as });
    });
  });
};
