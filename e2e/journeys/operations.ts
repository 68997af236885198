/** GraphQL, MCP and gRPC through the gate, by the libraries that people use: each operation is judged by itself, in both worlds alike. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type Amount, LedgerClient } from '../world/operation-apis.ts';
import type { World } from '../world/world.ts';
import { change, enforced, eventually, isRefused, joined, left, passes } from './expectations.ts';

const grant = async (w: World, subject: string, role: string, allows: readonly object[]): Promise<void> => {
  await enforced(w, joined(subject));
  await change(w, 'PUT', `/roles/${role}`, { allows }, 201);
  await change(w, 'POST', '/grants', { subject, role, reason: 'a journey' }, 201);
};

export const operationJourneys = (world: () => World): void => {
  describe('GraphQL', () => {
    test('a field passes for whom it is granted and for the employees they manage; another field refuses the request', async () => {
      const w = world();
      await grant(w, 'user:gwen', 'staff-lookup', [
        { endpoint: 'staff/query=2Eemployee' },
        { endpoint: 'staff/query=2Emotd' },
      ]);
      const as = { token: await w.token('gwen') };
      const ask = (query: string, variables?: object) => ({ as, method: 'POST', body: { query, variables } });
      const one = ask('query ($id: ID!) { employee(id: $id) { name } motd }', { id: '77' });
      await isRefused(w, '/staff/graphql', one);
      await enforced(w, {
        type: 'postern.object.related.v1',
        subject: 'employee:77',
        data: { relation: 'manager', subject: 'user:gwen' },
      });
      await passes(w, '/staff/graphql', one);
      const answer = await w.call('/staff/graphql', one);
      assert.deepEqual(answer.body, { data: { employee: { name: 'Employee 77' }, motd: 'be kind' } });

      const two = await isRefused(
        w,
        '/staff/graphql',
        ask('{ a: employee(id: 77) { name } b: employee(id: 78) { name } }'),
      );
      assert.deepEqual(two.body['objects'], ['employee:77#view', 'employee:78#view']);
      const renamed = await isRefused(w, '/staff/graphql', ask('mutation { rename(id: 77, name: "x") { name } }'));
      assert.match(String(renamed.body['detail']), /mutation\.rename/);
      await isRefused(w, '/staff/graphql', ask('{ employee(id: 77.0) { name } }'), 400);
      await isRefused(w, '/staff/graphql', ask('{ employee(id: 77) { name }'), 400);
      assert.ok(!w.operations.reached.includes('rename 77'));
      assert.ok(!w.operations.reached.includes('employee 78'));

      await enforced(w, left('user:gwen'));
      await isRefused(w, '/staff/graphql', one);
    });
  });

  describe('MCP', () => {
    const connected = async (w: World, person: string, gate = 0): Promise<Client & AsyncDisposable> => {
      const client = new Client({ name: 'journey', version: '1.0.0' });
      const transport = new StreamableHTTPClientTransport(new URL(`${w.gates[gate]}/notes/mcp`), {
        requestInit: { headers: { authorization: `Bearer ${await w.token(person)}` } },
        reconnectionOptions: {
          maxRetries: 0,
          initialReconnectionDelay: 1,
          maxReconnectionDelay: 1,
          reconnectionDelayGrowFactor: 1,
        },
      });
      await client.connect(transport as Parameters<Client['connect']>[0]);
      return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
    };
    const namesOf = async (client: Client): Promise<string[]> =>
      (await client.listTools()).tools.map(({ name }) => name).sort();
    const refusedTool = (name: string) => (error: Error) => {
      assert.match(error.message, new RegExp(`tool.${name} is not among what you may call here`));
      return true;
    };

    test('a client sees and calls the tools that are granted, and no others, at every gate', async () => {
      const w = world();
      await enforced(w, joined('user:mick'));
      await assert.rejects(connected(w, 'mick'), /initialize is not among what you may call here/);
      await grant(w, 'user:max', 'note-reader', [{ service: 'notes', access: 'read' }]);
      for (const gate of w.gates.keys()) {
        await using client = await connected(w, 'max', gate);
        assert.deepEqual(await namesOf(client), ['count', 'search', 'wait']);
        assert.deepEqual((await client.callTool({ name: 'search' })).content, [{ type: 'text', text: 'two notes' }]);
        await assert.rejects(client.callTool({ name: 'delete_note' }), refusedTool('delete_note'));
        await assert.rejects(client.callTool({ name: 'secret' }), refusedTool('secret'));
      }
      assert.ok(!w.operations.reached.includes('delete_note'));

      await using client = await connected(w, 'max');
      await change(w, 'PUT', '/roles/note-keeper', { allows: [{ endpoint: 'notes/tool=2Edelete_note' }] }, 201);
      await change(w, 'POST', '/grants', { subject: 'user:max', role: 'note-keeper', reason: 'a journey' }, 201);
      assert.deepEqual(await namesOf(client), ['count', 'delete_note', 'search', 'wait']);
      assert.deepEqual((await client.callTool({ name: 'delete_note' })).content, [{ type: 'text', text: 'gone' }]);
    });

    test('what a tool tells on its way arrives, and a call under way ends with the grant', async () => {
      const w = world();
      await grant(w, 'user:mara', 'note-caller', [{ service: 'notes', access: 'read' }]);
      await using client = await connected(w, 'mara');
      const told: number[] = [];
      await client.callTool({ name: 'count' }, undefined, { onprogress: ({ progress }) => told.push(progress) });
      assert.deepEqual(told, [1, 2, 3]);

      const before = w.operations.reached.filter((each) => each === 'wait').length;
      const broken = new Promise<Error>((resolve) => {
        client.onerror = resolve;
      });
      const under = client.callTool({ name: 'wait' }).catch((error: Error) => error);
      await eventually('the call at the API', () =>
        w.operations.reached.filter((each) => each === 'wait').length > before ? true : undefined,
      );
      await enforced(w, left('user:mara'));
      assert.match((await broken).message, /terminated|disconnected|closed|aborted/i);
      await assert.rejects(client.callTool({ name: 'search' }), /is not among what you may call here|denied/);
      await client.close();
      assert.ok((await under) instanceof Error);
    });
  });

  describe('gRPC', () => {
    type Ledger = InstanceType<typeof LedgerClient> & {
      readonly Balance: Unary<object>;
      readonly Book: Unary<Amount>;
      readonly Watch: (message: object, metadata: Metadata) => ClientReadableStream<Amount>;
      readonly Sum: (metadata: Metadata, then: Answered) => ClientWritableStream<Amount>;
      readonly Convert: (metadata: Metadata) => ClientDuplexStream<Amount, Amount>;
    };
    type Answered = (error: ServiceError | null, answer?: Amount) => void;
    type Unary<Message> = (message: Message, metadata: Metadata, then: Answered) => ClientUnaryCall;
    const clientOf = (address: string): Ledger & Disposable => {
      const client = new LedgerClient(address, credentials.createInsecure()) as unknown as Ledger;
      return Object.assign(client, { [Symbol.dispose]: () => client.close() });
    };
    const as = async (w: World, person: string | undefined): Promise<Metadata> => {
      const metadata = new Metadata();
      if (person !== undefined) metadata.set('authorization', `Bearer ${await w.token(person)}`);
      return metadata;
    };
    const told = (call: (then: Answered) => unknown): Promise<number | Amount> =>
      new Promise((resolve) => {
        call((error, answer) => resolve(error?.code ?? answer ?? -1));
      });

    test('all four kinds of call pass for whom they are granted, and are refused with the status of gRPC for others', async () => {
      const w = world();
      await grant(w, 'user:gita', 'book-reader', [{ service: 'ledger', access: 'read' }]);
      const [gita, nobody] = [await as(w, 'gita'), await as(w, undefined)];
      await enforced(w, joined('user:greg'));
      const greg = await as(w, 'greg');
      for (const address of w.h2c) {
        using client = clientOf(address);
        assert.deepEqual(await told((then) => client.Balance({}, gita, then)), { cents: 42 });
        assert.equal(await told((then) => client.Book({ cents: 1 }, gita, then)), status.PERMISSION_DENIED);
        assert.equal(await told((then) => client.Balance({}, greg, then)), status.PERMISSION_DENIED);
        assert.equal(await told((then) => client.Balance({}, nobody, then)), status.UNAUTHENTICATED);
        const sum = told((then) => {
          const call = client.Sum(gita, then);
          for (const cents of [1, 2, 3]) call.write({ cents });
          call.end();
        });
        assert.deepEqual(await sum, { cents: 6 });
        const convert = client.Convert(gita);
        for (const cents of [5, 7]) {
          convert.write({ cents });
          const [answer] = (await once(convert, 'data')) as [Amount];
          assert.equal(answer.cents, cents * 2);
        }
        convert.end();
        convert.resume();
        await once(convert, 'end');
      }
      assert.ok(!w.operations.reached.includes('Book'));
    });

    test('a stream is cut when its subscriber leaves: the client is told why, and the API hears of it', async () => {
      const w = world();
      await grant(w, 'user:gaby', 'book-watcher', [{ endpoint: 'ledger/ledger=2Ev1=2ELedger/Watch' }]);
      const gaby = await as(w, 'gaby');
      await using stack = new AsyncDisposableStack();
      const streams = [];
      for (const address of w.h2c) {
        const watch = stack.use(clientOf(address)).Watch({}, gaby);
        const failed = once(watch, 'error') as Promise<[ServiceError]>;
        failed.catch(() => {});
        await new Promise((resolve) => watch.once('data', resolve));
        watch.resume();
        streams.push(failed);
      }
      await enforced(w, left('user:gaby'));
      for (const failed of streams) assert.equal((await failed)[0].code, status.PERMISSION_DENIED);
      await eventually('the ends at the API', () =>
        w.operations.reached.filter((each) => each === 'Watch cancelled').length >= w.h2c.length ? true : undefined,
      );
    });
  });
};
