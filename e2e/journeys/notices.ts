/** Notices: what happens here is told elsewhere, whatever dies meanwhile; and the configuration that says so is taken in while running. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { startHttp } from '../world/stub-server.ts';
import type { World } from '../world/world.ts';
import { enforced, eventually, joined, left } from './expectations.ts';

type Event = { readonly id: string; readonly type: string; readonly subject: string; readonly sequence: string };

export const noticeJourneys = (world: () => World): void => {
  describe('notices', () => {
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const came: Event[] = [];
    let answers = (_event: Event): number | undefined => 204;
    let folder: string;
    let receiver: Awaited<ReturnType<typeof startHttp>>;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'postern-notices-'));
      await writeFile(join(folder, 'secret'), secret, { mode: 0o600 });
      receiver = await startHttp((request, response) => {
        if (request.url === '/poll') return void response.writeHead(404).end();
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const headers = request.headers as Record<string, string>;
          const event = new Webhook(secret).verify(Buffer.concat(chunks).toString(), headers) as Event;
          assert.equal(headers['webhook-id'], event.id);
          came.push(event);
          const status = answers(event);
          if (status !== undefined) response.writeHead(status).end();
        });
        return undefined;
      });
    });
    after(async () => {
      await receiver[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });
    const subscription = () => ({
      name: 'desk',
      url: receiver.url,
      secretFile: join(folder, 'secret'),
      types: ['postern.principal.joined.v1', 'postern.principal.left.v1'],
      allowAddresses: ['127.0.0.0/8'],
    });
    const of = (prefix: string) => came.filter(({ subject }) => subject.startsWith(`user:${prefix}`));
    type Item = { readonly holder?: object; readonly state: string; readonly behind: number };
    const listed = async (): Promise<Item | undefined> =>
      ((await world().call('/.postern/notices')).body['items'] as Item[] | undefined)?.[0];

    test('a subscription that is configured while everything runs is told of what happens from then on, in order', async () => {
      const w = world();
      await w.reconfigure((config) => ({ ...config, notices: [subscription()] }));
      await eventually('somebody delivers', async () => (await listed())?.holder);
      await enforced(w, joined('user:n-ann'));
      await enforced(w, left('user:n-ann'));
      await eventually('both came', () => of('n-ann').length >= 2);
      assert.deepEqual(
        of('n-ann').map(({ type }) => type),
        ['postern.principal.joined.v1', 'postern.principal.left.v1'],
      );
    });

    test('a grants instance that is killed while it delivers loses nothing: all come, in order, and what comes twice has one id', async () => {
      const w = world();
      const names = Array.from({ length: 12 }, (_, n) => `n-kill-${String(n).padStart(2, '0')}`);
      // Hangs in the middle of one; the kill comes while the answer is awaited.
      let hung = Promise.withResolvers<void>();
      answers = ({ subject }) => {
        if (subject !== `user:${names[4]}`) return 204;
        hung.resolve();
        return undefined;
      };
      for (const name of names) assert.equal((await w.send(joined(`user:${name}`))).status, 202);
      await hung.promise;
      for (const room of w.kind === 'embedded' ? (['grants-1'] as const) : (['grants-1', 'grants-2'] as const)) {
        hung = Promise.withResolvers();
        await w.restart(room, 'SIGKILL');
      }
      answers = () => 204;
      await eventually('the last one came', () => of(names.at(-1) ?? '').length > 0);
      const seen = of('n-kill-');
      assert.equal(new Set(seen.map(({ id }) => id)).size, names.length);
      const first = [...new Map(seen.map((event) => [event.id, event])).values()];
      assert.deepEqual(
        first.map(({ subject }) => subject),
        names.map((name) => `user:${name}`),
      );
      const sequences = seen.map(({ sequence }) => sequence);
      assert.deepEqual(sequences, sequences.toSorted(), 'nobody goes back');
    });

    test('what was told can be sent for again by whoever administers, from any instance', async () => {
      const w = world();
      const from = Number(of('n-kill-')[0]?.sequence);
      const before = came.length;
      const gate = w.gates.length - 1;
      const answer = await w.call('/.postern/notices/desk/replay', { method: 'POST', body: { from }, gate });
      assert.equal(answer.status, 200, answer.text);
      await eventually('they came again', () => came.length >= before + 12);
      const again = came.slice(before, before + 12).map(({ subject }) => subject);
      assert.deepEqual(again, [...new Set(of('n-kill-').map(({ subject }) => subject))]);
      await w.reconfigure((config) => config);
      await eventually('nobody is told any more', async () => ((await listed()) === undefined ? true : undefined));
    });

    test('a transmitter that is configured while everything runs is listed and fetched from; a broken configuration changes nothing', async () => {
      const w = world();
      const names = async () =>
        ((await w.call('/.postern/ssf/streams')).body['items'] as { name: string; pollTrouble?: string }[]) ?? [];
      const other = {
        name: 'other',
        issuer: 'https://other.test/',
        audience: ['x'],
        poll: { endpoint: `${receiver.url}/poll`, pauseMs: 200, longPoll: false },
      };
      await w.reconfigure((config) => ({ ...config, signals: [...(config['signals'] as object[]), other] }));
      await eventually('it is fetched from', async () =>
        (await names()).find(({ name, pollTrouble }) => name === 'other' && pollTrouble !== undefined),
      );
      await w.reconfigure((config) => ({
        ...config,
        signals: [{ ...other, jwks: 'file:not-there.json' }],
      }));
      await eventually('it says so', () => w.output().includes('not-there.json'));
      assert.deepEqual(
        (await names()).map(({ name }) => name),
        ['idp', 'other'],
      );
      await w.reconfigure((config) => config);
      await eventually('it is gone', async () => ((await names()).length === 1 ? true : undefined));
    });
  });
};
