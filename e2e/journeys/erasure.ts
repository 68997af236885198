/** Somebody asks to be forgotten: what was written about them goes, what happened stays and is proven. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { verifyBundleFile } from '@postern/audit/app';
import { parseVkeys, verifyProof } from '@postern/schemas/tlog';
import type { World } from '../world/world.ts';
import { change, enforced, eventually, joined, left } from './expectations.ts';
import { type Row, rowsOf } from './record.ts';

const written = 'Perdita covers for Ulysses, who is ill';
const about = 'user:perdita';

export const erasureJourneys = (world: () => World): void => {
  describe('erasing somebody', () => {
    const raw = async (path: string): Promise<Uint8Array> => {
      const response = await fetch(`${world().gates[0]}/.postern/audit/${path}`, {
        headers: { 'x-api-key': world().key },
      });
      assert.equal(response.status, 200, path);
      return new Uint8Array(await response.arrayBuffer());
    };
    const text = async (path: string): Promise<string> => new TextDecoder().decode(await raw(path));
    const factsOf = async (more = ''): Promise<readonly Row[]> =>
      rowsOf(await world().call(`/.postern/audit/facts?subject=${about}&order=oldest${more}`));
    const reasonOf = (row: Row | undefined): unknown =>
      (row?.body['data'] as Record<string, unknown> | undefined)?.['reason'];
    const grantOf = (rows: readonly Row[]) =>
      rows.find((row) => row['type'] === 'postern.grant.issued.v1' && row['role'] === 'payroll-reader');
    const proven = async (index: number): Promise<string> => {
      const keys = (await parseVkeys(await text('log/facts/vkey'))) ?? [];
      const judged = await verifyProof(
        await text(`log/facts/proof/${index}`),
        await raw(`log/facts/entry/${index}`),
        keys,
      );
      return judged.outcome;
    };

    test('their texts are shown while they are kept, are gone once they are erased, and every proof holds before and after', async () => {
      const w = world();
      await enforced(w, joined(about));
      const grant = { subject: about, role: 'payroll-reader', reason: written, ticket: 'HR-4711' };
      const issued = await change(w, 'POST', '/grants', grant, 201);
      const index = Number(issued.body['sequence']) - 1;

      // Shown wherever somebody looks, and nowhere in the log.
      const shown = await eventually('the grant in the record', async () => grantOf(await factsOf()));
      assert.equal(reasonOf(shown), written);
      const listed = await w.call(`/.postern/grants?subject=${about}`);
      assert.ok(listed.text.includes(written) && !listed.text.includes('sealed:'), listed.text);
      const held = await w.call(`/.postern/privacy/${about}`);
      assert.ok(held.text.includes(written) && held.text.includes('HR-4711'), held.text);
      const csv = await w.call(`/.postern/audit/facts?subject=${about}`, { headers: { accept: 'text/csv' } });
      assert.ok(csv.text.includes(written));
      const recordedBefore = await factsOf('&texts=recorded');
      assert.match(String(reasonOf(grantOf(recordedBefore))), /^sealed:[A-Za-z0-9_-]{43}$/);
      const entry = await text(`log/facts/entry/${index}`);
      assert.equal(entry.includes('Perdita covers') || entry.includes('HR-4711'), false, entry);
      await eventually('a proof', async () => {
        const { status } = await w.call(`/.postern/audit/log/facts/proof/${index}`);
        return status === 200 || undefined;
      });
      assert.equal(await proven(index), 'proven');
      const exported = await raw(`export?kind=facts&subject=${about}`);
      assert.equal((await verifyBundleFile(exported)).outcome, 'verified');

      // Not while they are here, and not while a hold stands.
      const erase = (status: number, as: object = {}) =>
        w
          .call(`/.postern/privacy/${about}/erase`, { method: 'POST', body: { reason: 'asked for in DSR-1' }, ...as })
          .then((answer) => {
            assert.equal(answer.status, status, answer.text);
            return answer;
          });
      await erase(409);
      await enforced(w, left(about));
      const placed = await change(w, 'POST', '/holds', { on: { subject: about }, reason: 'a claim' }, 201);
      const blocked = await erase(409);
      assert.equal(blocked.body['type'], 'urn:postern:problem:grants/held');
      assert.deepEqual(blocked.body['holds'], [placed.body['id']]);
      assert.ok((await w.call('/.postern/holds')).text.includes(String(placed.body['id'])));
      await change(w, 'POST', `/holds/${placed.body['id']}/lift`, { reason: 'settled' }, 200);
      // By the graph, as everything here: whoever holds no role may not.
      await erase(403, { as: { token: await w.token('nobody-special') } });

      const erased = await erase(200);
      assert.equal((erased.body['texts'] as Record<string, number>)['postern.grant.issued.v1/reason'], 1);
      const after = await eventually('the erasure in the record', async () => {
        const rows = await factsOf();
        return rows.some(({ type }) => type === 'postern.subject.erased.v1') ? rows : undefined;
      });
      const fact = after.find(({ type }) => type === 'postern.subject.erased.v1');
      assert.deepEqual([reasonOf(fact), fact?.['sequence']], ['asked for in DSR-1', erased.body['sequence']]);
      assert.equal(reasonOf(grantOf(after)), '[erased]');
      for (const path of [
        `/.postern/audit/facts?subject=${about}`,
        `/.postern/privacy/${about}`,
        `/.postern/audit/as-of?subject=${about}&sequence=${issued.body['sequence']}`,
        `/.postern/audit/questions/3?subject=${about}`,
        '/.postern/reports/leavers',
      ]) {
        const answer = await w.call(path);
        assert.equal(answer.status, 200, `${path}: ${answer.text}`);
        assert.equal(answer.text.includes('Perdita covers') || answer.text.includes('HR-4711'), false, path);
      }
      const csvAfter = await w.call(`/.postern/audit/facts?subject=${about}`, { headers: { accept: 'text/csv' } });
      assert.ok(csvAfter.text.includes('[erased]') && !csvAfter.text.includes('Perdita covers'));

      // To the byte what it was.
      assert.equal(await text(`log/facts/entry/${index}`), entry);
      assert.equal(await proven(index), 'proven');
      const recordedAfter = await factsOf('&texts=recorded');
      assert.deepEqual(recordedAfter.slice(0, recordedBefore.length), recordedBefore);
      // What was handed out before still proves what it says; what is handed out now brings no text.
      assert.equal((await verifyBundleFile(exported)).outcome, 'verified');
      const now = await raw(`export?kind=facts&subject=${about}`);
      assert.equal((await verifyBundleFile(now)).outcome, 'verified');
    });

    test('somebody who comes back after they were erased has texts again, and they outlast a restart', async () => {
      const w = world();
      await enforced(w, joined(about));
      const grant = { subject: about, role: 'payroll-reader', reason: 'back again' };
      await change(w, 'POST', '/grants', grant, 201);
      await w.restart('grants-1');
      // What the log says was erased is erased once more at the start: of facts before, not of later ones.
      const listed = await eventually('the grants', async () => {
        const answer = await w.call(`/.postern/grants?subject=${about}`);
        return answer.status === 200 ? answer : undefined;
      });
      assert.ok(listed.text.includes('back again'), listed.text);
    });
  });
};
