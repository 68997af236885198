/** A world as a journey sees it: gates, a key, events to send and calls to make. The same for one process and for many. */
import type { Collector } from './collector.ts';
import type { Issuer, TokenOptions } from './issuer.ts';
import type { OperationApis } from './operation-apis.ts';
import type { Transmitter } from './transmitter.ts';
import type { Upstream } from './upstream.ts';

/** What one process is in the distributed world; in the embedded world all of them are the same one. */
export type RoomName =
  | 'grants-1'
  | 'grants-2'
  | 'authorizer'
  | 'audit'
  | 'console'
  | 'proxy-1'
  | 'proxy-2'
  | 'proxy-3'
  | 'proxy-4';

export type CloudEvent = {
  /** A new one where none is given. */
  readonly id?: string;
  readonly source?: string;
  readonly time?: string;
  readonly type: string;
  readonly subject: string;
  readonly data?: Readonly<Record<string, unknown>>;
};

export type Answer = {
  readonly status: number;
  /** The JSON object of the body; empty where it is none. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The id that `Postern-Decision` names. */
  readonly decision: string;
};

export type Credential = { readonly token: string } | { readonly key: string } | { readonly nobody: true };

export type CallOptions = {
  /** The administrator's key where none is given. */
  readonly as?: Credential;
  readonly method?: string;
  /** Which gate, counted from 0. */
  readonly gate?: number;
  /** Sent as JSON; bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type SendOptions = {
  readonly wait?: 'enforced';
  readonly gate?: number;
  readonly headers?: CallOptions['headers'];
};

export type Health = {
  readonly status: number;
  readonly notReady: readonly { readonly service: string; readonly what: string }[];
  /** What somebody has to look at. */
  readonly watched: readonly { readonly what: string }[];
};

export type World = AsyncDisposable & {
  readonly kind: 'embedded' | 'distributed';
  readonly gates: readonly string[];
  /** HOST:PORT of each gate for HTTP/2 in clear text. */
  readonly h2c: readonly string[];
  /** The administrator's. */
  readonly key: string;
  readonly issuer: Issuer;
  readonly transmitter: Transmitter;
  readonly upstream: Upstream;
  readonly operations: OperationApis;
  readonly collector: Collector;
  readonly token: (subject: string, options?: TokenOptions) => Promise<string>;
  /** One CloudEvent in structured mode. */
  readonly send: (event: CloudEvent, options?: SendOptions) => Promise<Answer>;
  readonly call: (path: string, options?: CallOptions) => Promise<Answer>;
  readonly health: (room: RoomName) => Promise<Health>;
  /** Ends the room's process by `signal` and starts it anew on the same state; resolves when it is ready. */
  readonly restart: (room: RoomName, signal?: NodeJS.Signals) => Promise<void>;
  /** Changes what grants is configured with, in every instance of it; taken in while it runs. */
  readonly reconfigure: (change: (config: Readonly<Record<string, unknown>>) => object) => Promise<void>;
  /** What the processes have printed, for a failing test. */
  readonly output: () => string;
};

export type Speaking = Pick<World, 'token' | 'send' | 'call'>;

export const speaking = (gates: readonly string[], adminKey: () => string, issuer: Issuer): Speaking => {
  const call: World['call'] = async (path, { as, method = 'GET', gate = 0, body, headers = {} } = {}) => {
    const bytes = body instanceof Uint8Array || typeof body === 'string';
    const response = await fetch(`${gates[gate] ?? 'http://no-such-gate'}${path}`, {
      method,
      headers: {
        ...(body !== undefined && !bytes && { 'content-type': 'application/json' }),
        ...credentialHeaders(as ?? { key: adminKey() }),
        ...headers,
      },
      ...(body !== undefined && { body: bytes ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: toObject(text),
      text,
      decision: response.headers.get('postern-decision') ?? '',
    };
  };
  let sent = 0;
  return {
    token: issuer.token,
    call,
    send: (event, { wait, gate, headers } = {}) =>
      call(`/.postern/events${wait === undefined ? '' : `?wait=${wait}`}`, {
        method: 'POST',
        ...(gate !== undefined && { gate }),
        headers: { 'content-type': 'application/cloudevents+json', ...headers },
        body: JSON.stringify({ specversion: '1.0', id: `event-${process.pid}-${++sent}`, source: '/e2e/hr', ...event }),
      }),
  };
};

export const credentialHeaders = (credential: Credential): Record<string, string> =>
  'token' in credential
    ? { authorization: `Bearer ${credential.token}` }
    : 'key' in credential
      ? { 'x-api-key': credential.key }
      : {};

const toObject = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : {};
  } catch {
    return {};
  }
};
