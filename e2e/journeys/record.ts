/** Who, what, when, under which fact; and the proof that the record is what was signed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { verifyLog } from '@postern/audit/app';
import type { Answer, World } from '../world/world.ts';
import { enforced, eventually, isRefused, joined, left, passes } from './expectations.ts';

export type Row = Readonly<Record<string, unknown>> & { readonly body: Readonly<Record<string, unknown>> };
export const rowsOf = ({ body }: Answer): readonly Row[] => (body['items'] ?? []) as readonly Row[];

/** The first row that the record holds under `query`, once it is there. */
export const recorded = (world: World, query: string, found: (row: Row) => boolean = () => true): Promise<Row> =>
  eventually(`${query} in the record`, async () => rowsOf(await world.call(`/.postern/audit/${query}`)).find(found));

export const recordJourneys = (world: () => World): void => {
  describe('the record', () => {
    test('every request is found by its decision id, the refused ones too, with the fact it rests on', async () => {
      const w = world();
      const as = { token: await w.token('laura') };
      const early = await isRefused(w, '/payroll/employees', { as });
      const { body } = await enforced(w, joined('user:laura', 'finance'));
      await passes(w, '/payroll/employees', { as });
      const answers: readonly [Answer, string, string][] = [
        [early, 'deny', 'no-grant'],
        [await w.call('/payroll/employees', { as: { nobody: true } }), 'deny', 'no-credential'],
        [await w.call('/payroll/employees', { as: { token: 'not-a-token' } }), 'deny', 'bad-credential'],
        [await w.call('/payroll/employees%2f42', { as }), 'deny', 'ambiguous-request'],
        [await w.call('/nowhere', { as }), 'deny', 'no-such-endpoint'],
      ];
      for (const [{ decision, status }, outcome, reason] of answers) {
        const row = await recorded(w, `decisions?id=${decision}`);
        assert.deepEqual([row['outcome'], row['reason'], row.body['refusedWith']], [outcome, reason, status]);
      }
      for (const gate of w.gates.keys()) {
        const passed = await w.call('/payroll/employees', { as, gate });
        assert.equal(passed.status, 200);
        const row = await recorded(w, `decisions?id=${passed.decision}`);
        assert.deepEqual(
          [row['outcome'], row['subject'], row['endpoint']],
          ['allow', 'user:laura', 'payroll/listEmployees'],
        );
        assert.ok(Number(row['sequence']) >= Number(body['sequence']), 'it rests on the joining');
        assert.ok(
          w.upstream.reached.some(({ decision }) => decision === passed.decision),
          'the API was told the same id',
        );
      }
    });

    test('an auditor reads who was given what and when it was taken away everywhere, and nothing reaches the record twice', async () => {
      const w = world();
      await enforced(w, joined('user:mallory', 'finance'));
      const { body } = await enforced(w, left('user:mallory'));
      const sequence = Number(body['sequence']);
      const enforcement = await recorded(
        w,
        'facts?type=postern.enforcement.reached.v1&limit=50',
        (row) => Number((row.body['data'] as Record<string, unknown> | undefined)?.['reached']) >= sequence,
      );
      const data = enforcement.body['data'] as Record<string, unknown>;
      assert.equal(data['proxies'], w.gates.length);
      assert.deepEqual(data['lapsed'], []);
      const types = rowsOf(await w.call('/.postern/audit/facts?subject=user:mallory&order=oldest')).map(
        ({ type }) => type,
      );
      assert.deepEqual(types, [
        'postern.principal.joined.v1',
        'postern.grant.issued.v1',
        'postern.principal.left.v1',
        'postern.grant.revoked.v1',
      ]);
    });

    test('both logs verify from the public formats alone, through the gate', async () => {
      const w = world();
      const head = Number((await w.call('/.postern/audit/facts?limit=1')).body['size']);
      for (const log of ['facts', 'decisions']) {
        const get = async (path: string): Promise<Uint8Array | undefined> => {
          const response = await fetch(`${w.gates[0]}/.postern/audit/log/${log}/${path}`, {
            headers: { 'x-api-key': w.key },
          });
          if (response.status === 404) return undefined;
          assert.equal(response.status, 200, path);
          return new Uint8Array(await response.arrayBuffer());
        };
        const verified = await eventually(`a checkpoint over the ${log}`, async () => {
          const vkey = new TextDecoder().decode(await get('vkey')).trim();
          const found = await verifyLog({ get, vkey });
          const small = found.outcome === 'intact' && log === 'facts' && found.checkpoint.size < head;
          return small ? undefined : found;
        });
        assert.equal(verified.outcome, 'intact', JSON.stringify(verified));
      }
    });
  });
};
