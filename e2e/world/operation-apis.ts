/** APIs that answer many operations at one place, each by its own library: GraphQL, MCP and gRPC. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import {
  type GrpcObject,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { buildSchema, graphql } from 'graphql';
import { root } from './embedded.ts';
import { startHttp } from './stub-server.ts';

const files = join(root, 'e2e/world/operations');

export type OperationApis = AsyncDisposable & {
  /** The services as postern.yaml has them. */
  readonly services: Readonly<Record<string, object>>;
  /** What reached the APIs: fields, tools and methods, in their order. */
  readonly reached: readonly string[];
};

export const startOperationApis = async (): Promise<OperationApis> => {
  const reached: string[] = [];
  await using stack = new AsyncDisposableStack();
  const staff = stack.use(await startStaff(reached));
  const notes = stack.use(await startNotes(reached));
  const ledger = stack.use(await startLedger(reached));
  const owned = stack.move();
  return {
    reached,
    services: {
      staff: {
        upstream: staff.url,
        mount: '/staff',
        graphql: { schema: join(files, 'staff.graphql') },
        routes: join(files, 'staff.routes.yaml'),
      },
      notes: {
        upstream: notes.url,
        mount: '/notes',
        mcp: {
          tools: [
            { name: 'search', access: 'read' },
            { name: 'count', access: 'read' },
            { name: 'wait', access: 'read' },
            { name: 'delete_note' },
          ],
        },
      },
      // Clients of gRPC know no base path: the mount is the service's own name.
      ledger: {
        upstream: `${ledger.url}/ledger.v1.Ledger`,
        mount: '/ledger.v1.Ledger',
        protocol: 'http2',
        grpc: join(files, 'ledger.proto'),
      },
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
};

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
};

const schema = buildSchema(`type Query { employee(id: ID!): Employee motd: String }
type Mutation { rename(id: ID!, name: String!): Employee }
type Employee { id: ID! name: String! }`);

const startStaff = (reached: string[]) =>
  startHttp(async (request, response) => {
    const { query = '', variables } = (await bodyOf(request)) as {
      query?: string;
      variables?: Record<string, unknown>;
    };
    const rootValue = {
      employee: ({ id }: { id: string }) => {
        reached.push(`employee ${id}`);
        return { id, name: `Employee ${id}` };
      },
      motd: () => {
        reached.push('motd');
        return 'be kind';
      },
      rename: ({ id, name }: { id: string; name: string }) => {
        reached.push(`rename ${id}`);
        return { id, name };
      },
    };
    const result = await graphql({ schema, source: query, rootValue, ...(variables && { variableValues: variables }) });
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
  });

const notesServer = (reached: string[]): McpServer => {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
  server.registerTool('search', { description: 'Finds notes' }, () => {
    reached.push('search');
    return text('two notes');
  });
  server.registerTool(
    'count',
    { description: 'Counts, and tells how far it is' },
    async ({ _meta, sendNotification }) => {
      reached.push('count');
      const { progressToken } = _meta ?? {};
      for (let progress = 1; progress <= 3; progress++)
        if (progressToken !== undefined)
          await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } });
      return text('three');
    },
  );
  server.registerTool('wait', { description: 'Never comes to its end' }, async () => {
    reached.push('wait');
    return new Promise(() => {});
  });
  server.registerTool('delete_note', { description: 'Deletes a note' }, () => {
    reached.push('delete_note');
    return text('gone');
  });
  server.registerTool('secret', { description: 'Nobody has declared it' }, () => text('hidden'));
  return server;
};

const startNotes = async (reached: string[]) => {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = request.method === 'POST' ? await bodyOf(request) : undefined;
    const known = sessions.get(String(request.headers['mcp-session-id'] ?? ''));
    const transport =
      known ??
      new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (id) => void sessions.set(id, transport),
      });
    // The library's own types do not hold under exactOptionalPropertyTypes.
    if (known === undefined) await notesServer(reached).connect(transport as Parameters<McpServer['connect']>[0]);
    await transport.handleRequest(request, response, body);
  };
  const server = await startHttp((request, response) => void answer(request, response));
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      for (const transport of sessions.values()) await transport.close();
      await server[Symbol.asyncDispose]();
    },
  };
};

export type Amount = { readonly cents: number };

const loaded = loadPackageDefinition(loadSync(join(files, 'ledger.proto'), { includeDirs: [files] })) as unknown as {
  ledger: { v1: { Ledger: ServiceClientConstructor } };
} & GrpcObject;
/** The client as the library makes it of the description. */
export const LedgerClient = loaded.ledger.v1.Ledger;

const startLedger = async (reached: string[]) => {
  const server = new Server();
  server.addService(LedgerClient.service, {
    Balance: (_call: ServerUnaryCall<object, Amount>, answer: sendUnaryData<Amount>) => {
      reached.push('Balance');
      answer(null, { cents: 42 });
    },
    Watch: (call: ServerWritableStream<object, Amount>) => {
      reached.push('Watch');
      let cents = 0;
      const tick = (): void => void call.write({ cents: cents++ });
      tick();
      const timer = setInterval(tick, 100);
      call.on('cancelled', () => {
        reached.push('Watch cancelled');
        clearInterval(timer);
      });
    },
    Sum: (call: ServerReadableStream<Amount, Amount>, answer: sendUnaryData<Amount>) => {
      let cents = 0;
      call.on('data', (amount: Amount) => {
        cents += amount.cents;
      });
      call.on('end', () => answer(null, { cents }));
    },
    Convert: (call: ServerDuplexStream<Amount, Amount>) => {
      call.on('data', ({ cents }: Amount) => call.write({ cents: cents * 2 }));
      call.on('end', () => call.end());
    },
    Book: (call: ServerUnaryCall<Amount, Amount>, answer: sendUnaryData<Amount>) => {
      reached.push('Book');
      answer(null, call.request);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => server.forceShutdown() };
};
