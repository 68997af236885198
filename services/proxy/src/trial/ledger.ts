/** A real gRPC service and a real client of it, from one description. */
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  type Metadata,
  makeClientConstructor,
  Metadata as NewMetadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';

const json = {
  requestSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes: Buffer): unknown => JSON.parse(bytes.toString()),
  responseSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes: Buffer): unknown => JSON.parse(bytes.toString()),
};
const method = (name: string, requestStream: boolean, responseStream: boolean, mount: string) => ({
  path: `${mount}/ledger.v1.Ledger/${name}`,
  requestStream,
  responseStream,
  ...json,
});
const methods = (mount: string) =>
  ({
    Get: method('Get', false, false, mount),
    Fail: method('Fail', false, false, mount),
    Watch: method('Watch', false, true, mount),
    Sum: method('Sum', true, false, mount),
    Echo: method('Echo', true, true, mount),
  }) satisfies ServiceDefinition;

export type Ledger = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  /** Calls that are open now. */
  readonly open: Set<string>;
  /** The metadata of each call, in the order in which they came. */
  readonly seen: Metadata[];
  /** Ends all connections at once, as a crash does; the port stays taken. */
  readonly dropConnections: () => void;
  /** Says GOAWAY, and lets the calls under way come to their end. */
  readonly drainConnections: () => void;
};

type Message = { readonly n: number; readonly text?: string };

export const startLedger = async (): Promise<Ledger> => {
  const server = new Server();
  const open = new Set<string>();
  const seen: Metadata[] = [];
  const note = (name: string, call: { metadata: Metadata; on: (event: 'cancelled', then: () => void) => unknown }) => {
    seen.push(call.metadata);
    open.add(name);
    call.on('cancelled', () => open.delete(name));
  };
  server.addService(methods(''), {
    Get: (call: ServerUnaryCall<Message, Message>, answer: sendUnaryData<Message>) => {
      seen.push(call.metadata);
      const trailer = new NewMetadata();
      trailer.set('ledger-page', '7');
      answer(null, { n: call.request.n + 1 }, trailer);
    },
    Fail: (_call: ServerUnaryCall<Message, Message>, answer: sendUnaryData<Message>) =>
      answer({ code: status.FAILED_PRECONDITION, details: 'the books are closed – 100 %' }),
    Watch: (call: ServerWritableStream<Message, Message>) => {
      note('Watch', call);
      const { n } = call.request;
      for (let at = 0; at < n; at++) call.write({ n: at });
      if (n > 0) call.end();
      else call.write({ n: 0 });
    },
    Sum: (call: ServerReadableStream<Message, Message>, answer: sendUnaryData<Message>) => {
      let n = 0;
      call.on('data', (message: Message) => {
        n += message.n;
      });
      call.on('end', () => answer(null, { n }));
    },
    Echo: (call: ServerDuplexStream<Message, Message>) => {
      note('Echo', call);
      call.on('data', (message: Message) => call.write(message));
      call.on('end', () => call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const end = (graceMs: number): void => server.drain(`127.0.0.1:${port}`, graceMs);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    open,
    seen,
    dropConnections: () => end(0),
    drainConnections: () => end(60_000),
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
};

type Unary = (message: Message, metadata: Metadata, then: Answered) => ClientUnaryCall;
type Answered = (error: ServiceError | null, answer: Message) => void;
export type LedgerClient = Client & {
  readonly Get: Unary;
  readonly Fail: Unary;
  readonly Watch: (message: Message, metadata: Metadata) => ClientReadableStream<Message>;
  readonly Sum: (metadata: Metadata, then: Answered) => ClientWritableStream<Message>;
  readonly Echo: (metadata: Metadata) => ClientDuplexStream<Message, Message>;
};

/** `mount` is where the service lies at the gate. */
export const ledgerClient = (address: string, mount: string): LedgerClient =>
  new (makeClientConstructor(methods(mount), 'Ledger'))(
    address,
    credentials.createInsecure(),
  ) as unknown as LedgerClient;

export const withKey = (key: string | undefined): Metadata => {
  const metadata = new NewMetadata();
  if (key !== undefined) metadata.set('x-api-key', key);
  return metadata;
};
