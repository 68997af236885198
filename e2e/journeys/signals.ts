/** Security events of a transmitter: pushed and fetched, verified with its keys, in force at every gate. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { caep, risc } from '../world/transmitter.ts';
import type { World } from '../world/world.ts';
import { change, enforced, eventually, isRefused, joined, left, passes } from './expectations.ts';
import { recorded } from './record.ts';

const employees = '/payroll/employees';
type Set = { readonly jti: string; readonly token: string };

export const signalJourneys = (world: () => World): void => {
  describe('shared signals', () => {
    const subject = (sub: string) => ({ format: 'iss_sub', iss: world().issuer.url, sub });
    let pushKey: string | undefined;
    /** As a transmitter does, which knows an Authorization header and nothing else of this gate. */
    const push = async ({ token }: Set, contentType = 'application/secevent+jwt', wait?: 'enforced') => {
      const w = world();
      if (pushKey === undefined) {
        await enforced(w, { type: 'postern.person.joined.v1', subject: 'workload:signals' });
        const reason = 'pushes security events';
        await change(w, 'POST', '/grants', { subject: 'workload:signals', role: 'postern-signaller', reason }, 201);
        const key = { owner: 'workload:signals', roles: ['postern-signaller'], reason };
        pushKey = String((await change(w, 'POST', '/keys', key, 201)).body['key']);
      }
      return w.call(`/.postern/ssf/push${wait === undefined ? '' : `?wait=${wait}`}`, {
        method: 'POST',
        as: { nobody: true },
        headers: { 'content-type': contentType, authorization: `Bearer ${pushKey}` },
        body: token,
      });
    };
    const delivered = async (set: Set): Promise<void> => {
      const answer = await push(set);
      assert.deepEqual([answer.status, answer.text], [202, '']);
    };
    const refusedAs = async (err: string, set: Set): Promise<void> => {
      const answer = await push(set);
      assert.deepEqual([answer.status, answer.body['err']], [400, err], answer.text);
      assert.equal(typeof answer.body['description'], 'string');
    };
    const eventuallyRefused = async (as: { token: string }, status = 401): Promise<void> => {
      const w = world();
      for (const gate of w.gates.keys())
        await eventually('the gate refuses', async () => {
          const answer = await w.call(employees, { as, gate });
          return answer.status === status || undefined;
        });
      await isRefused(w, employees, { as }, status);
    };
    const staff = async (name: string) => {
      const w = world();
      await enforced(w, joined(`user:${name}`, 'finance'));
      const as = { token: await w.token(name, { issuedSecondsAgo: 60 }) };
      await passes(w, employees, { as });
      return as;
    };

    test('a session that is revoked by push refuses the tokens from before it at every gate, and takes newer ones', async () => {
      const w = world();
      const as = await staff('sig-nora');
      const at = Math.floor(Date.now() / 1_000) - 5;
      const set = await w.transmitter.set(`${caep}session-revoked`, subject('sig-nora'), { event_timestamp: at });
      await delivered(set);
      await eventuallyRefused(as);
      const newer = { token: await w.token('sig-nora') };
      await passes(w, employees, { as: newer });
      await delivered(set);
      await passes(w, employees, { as: newer });
      const { body } = await w.call('/.postern/audit/facts?subject=user:sig-nora&type=postern.session.revoked.v1');
      assert.equal((body['items'] as object[]).length, 1, 'the repetition is acknowledged and changes nothing');
    });

    test('once a push that waits is answered, no gate lets the very next call of an older token pass', async () => {
      const w = world();
      for (let round = 0; round < 5; round++) {
        const as = await staff(`sig-round-${round}`);
        const set = await w.transmitter.set(`${caep}session-revoked`, subject(`sig-round-${round}`));
        const answer = await push(set, 'application/secevent+jwt', 'enforced');
        assert.deepEqual([answer.status, answer.text], [202, '']);
        await isRefused(w, employees, { as }, 401);
      }
    });

    test('events are fetched, acknowledged once they are durable, and refused ones are told why', async () => {
      const w = world();
      const as = await staff('sig-otto');
      const good = await w.transmitter.set(`${caep}credential-change`, subject('sig-otto'), {
        credential_type: 'password',
        change_type: 'revoke',
      });
      const forged = await w.transmitter.set(`${caep}session-revoked`, subject('sig-otto'), {}, { forged: true });
      w.transmitter.offer(forged);
      w.transmitter.offer(good);
      await eventually('it is acknowledged', () => w.transmitter.acknowledged.has(good.jti) || undefined);
      await eventually('the other is refused', () => w.transmitter.refused.get(forged.jti)?.err);
      assert.equal(w.transmitter.refused.get(forged.jti)?.err, 'authentication_failed');
      await recorded(w, 'facts?subject=user:sig-otto&type=postern.session.revoked.v1');
      await eventuallyRefused(as);
    });

    test('what is forged, addressed to others, of another issuer or of another kind is refused in the RFC’s words', async () => {
      const { transmitter } = world();
      const as = await staff('sig-paula');
      const ended = (options: Parameters<typeof transmitter.set>[3]) =>
        transmitter.set(`${caep}session-revoked`, subject('sig-paula'), {}, options);
      await refusedAs('authentication_failed', await ended({ forged: true }));
      await refusedAs('invalid_key', await ended({ header: { kid: 'withdrawn' } }));
      await refusedAs('invalid_issuer', await ended({ claims: { iss: 'https://somebody.test' } }));
      await refusedAs('invalid_audience', await ended({ claims: { aud: 'https://other.test' } }));
      await refusedAs('invalid_request', await ended({ header: { typ: 'JWT' } }));
      await refusedAs('invalid_request', await ended({ claims: { exp: Math.floor(Date.now() / 1_000) + 60 } }));
      await refusedAs('invalid_request', await ended({ claims: { sub: 'paula' } }));
      await refusedAs('invalid_request', await ended({ claims: { events: {} } }));
      await refusedAs('invalid_request', { jti: '', token: 'no token' });
      const wrongType = await push(await ended({}), 'application/jwt');
      assert.deepEqual([wrongType.status, wrongType.body['err']], [400, 'invalid_request']);
      await passes(world(), employees, { as });
    });

    test('the same jti with another event is refused, and lies in quarantine', async () => {
      const { transmitter } = world();
      const as = await staff('sig-quirin');
      const first = await transmitter.set(`${caep}assurance-level-change`, subject('sig-quirin'), {
        namespace: 'NIST-AAL',
        current_level: 'nist-aal2',
        change_direction: 'increase',
      });
      await delivered(first);
      await passes(world(), employees, { as });
      const claims = { jti: first.jti };
      await refusedAs(
        'invalid_request',
        await transmitter.set(`${caep}session-revoked`, subject('sig-quirin'), {}, { claims }),
      );
      await passes(world(), employees, { as });
      const { body } = await world().call('/.postern/feeds/quarantine');
      const items = body['items'] as { event?: { id: string } }[];
      assert.ok(items.some(({ event }) => event?.id === first.jti));
    });

    test('an account that is disabled loses everything, and comes back only where nobody else says that they left', async () => {
      const w = world();
      const as = await staff('sig-resi');
      await delivered(await w.transmitter.set(`${risc}account-disabled`, subject('sig-resi'), { reason: 'hijacking' }));
      await eventuallyRefused(as, 403);
      await delivered(await w.transmitter.set(`${risc}account-enabled`, subject('sig-resi')));
      await eventually('resi is back', async () => (await w.call(employees, { as })).status === 200 || undefined);
      await delivered(await w.transmitter.set(`${risc}account-disabled`, subject('sig-resi')));
      await enforced(w, left('user:sig-resi'));
      await delivered(await w.transmitter.set(`${risc}account-enabled`, subject('sig-resi')));
      await isRefused(w, employees, { as });
      await delivered(await w.transmitter.set(`${risc}account-purged`, subject('sig-resi')));
      await isRefused(w, employees, { as });
    });

    test('an address means somebody only where it is declared, and nobody once it has changed hands', async () => {
      const w = world();
      const as = await staff('sig-olga');
      const byMail = (email: string) => ({ format: 'email', email });
      const unknown = await w.transmitter.set(`${caep}session-revoked`, byMail('nobody@example.com'));
      await delivered(unknown);
      const { body } = await w.call('/.postern/feeds/quarantine');
      const item = (body['items'] as { why: string; event?: { id: string } }[]).find(
        ({ event }) => event?.id === unknown.jti,
      );
      assert.match(item?.why ?? '', /e-mail address means nobody here/);
      assert.doesNotMatch(item?.why ?? '', /nobody@example/, 'the address itself stays out of the record');
      await passes(w, employees, { as });
      await delivered(await w.transmitter.set(`${risc}identifier-recycled`, byMail('olga@example.com')));
      await eventuallyRefused(as);
      const after = await w.transmitter.set(`${caep}session-revoked`, byMail('olga@example.com'));
      await delivered(after);
      const liesThere = async ({ jti }: Set): Promise<boolean> => {
        const { body } = await w.call('/.postern/feeds/quarantine');
        return (body['items'] as { event?: { id: string } }[]).some(({ event }) => event?.id === jti);
      };
      assert.ok(await liesThere(after));
      // Whoever has the address now is still nobody here when the process that heard of it is gone.
      await w.restart('grants-1', 'SIGKILL');
      const later = await w.transmitter.set(`${caep}session-revoked`, byMail('olga@example.com'));
      await eventually('it is taken', async () => (await push(later)).status === 202 || undefined);
      assert.ok(await liesThere(later));
    });

    test('of a complex subject the user counts', async () => {
      const w = world();
      const as = await staff('sig-sven');
      const complex = { format: 'complex', user: subject('sig-sven'), session: { format: 'opaque', id: 's-1' } };
      await delivered(await w.transmitter.set(`${caep}session-revoked`, complex));
      await eventuallyRefused(as);
    });

    test('a stream verifies when it is asked to, and says how it is', async () => {
      const w = world();
      const verified = await w.call('/.postern/ssf/streams/idp/verify', { method: 'POST', body: {} });
      assert.equal(verified.status, 200, verified.text);
      assert.equal(verified.body['status'], 'enabled');
      assert.equal(typeof verified.body['verifiedAt'], 'string');
      const streamSubject = { format: 'opaque', id: 'stream-1' };
      const type = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';
      await delivered(await w.transmitter.set(type, streamSubject, { status: 'paused', reason: 'maintenance' }));
      const { body } = await w.call('/.postern/ssf/streams');
      const [stream] = body['items'] as { name: string; status: string; statusReason: string }[];
      assert.deepEqual([stream?.name, stream?.status, stream?.statusReason], ['idp', 'paused', 'maintenance']);
    });

    test('without a credential nothing is taken, and the transmitter’s key may do nothing else', async () => {
      const w = world();
      const { token } = await w.transmitter.set(`${caep}session-revoked`, subject('sig-nora'));
      const headers = { 'content-type': 'application/secevent+jwt' };
      const none = await w.call('/.postern/ssf/push', { method: 'POST', as: { nobody: true }, headers, body: token });
      assert.equal(none.status, 401);
      const other = await w.call('/.postern/grants', { as: { key: pushKey ?? '' } });
      assert.equal(other.status, 403);
    });
  });
};
