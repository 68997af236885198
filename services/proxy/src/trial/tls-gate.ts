/** A gate behind TLS for a test, its files as an operator would have them, and clients that speak HTTP/2 to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog } from '@postern/event-log';
import { loadConfig, readTlsFiles, type TlsMaterial } from '@postern/runtime';
import type { FactDraft } from '@postern/schemas';
import { certificateAuthority, type Signed, type TrialAuthority } from './certificates.ts';
import { startTrial, type Trial, type TrialOptions } from './gate.ts';

export type TlsFiles = Disposable & {
  readonly folder: string;
  readonly authority: TrialAuthority;
  readonly write: (name: string, text: string) => void;
  readonly read: (clients?: object) => Promise<TlsMaterial>;
};

export const serverNames = [{ type: 'dns', value: 'gate.test' }] as const;

export const tlsFiles = async (): Promise<TlsFiles> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-tls-'));
  const authority = await certificateAuthority('CN=Trial server authority');
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const { certificate, key } = await authority.sign({ subject: 'CN=gate', names: serverNames, usage: 'server' });
  write('tls.crt', certificate);
  write('tls.key', key);
  return {
    folder,
    authority,
    write,
    read: async (clients) => {
      const tls = { certificate: './tls.crt', key: './tls.key', ...(clients !== undefined && { clients }) };
      write('postern.yaml', JSON.stringify({ tls }));
      const material = await readTlsFiles(loadConfig(join(folder, 'postern.yaml'), {}), Date.now());
      if (material === undefined) throw new TypeError('TLS was configured');
      return material;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
};

export type TlsTrial = Trial & { readonly files: TlsFiles };

export const startTlsTrial = async (
  log: EventLog,
  facts: readonly FactDraft[],
  files: TlsFiles,
  { clients, config, ...options }: TrialOptions & { readonly clients?: object } = {},
): Promise<TlsTrial> => {
  const tls = await files.read(clients);
  return { ...(await startTrial(log, facts, { ...options, config: { ...config, tls } })), files };
};

export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly trailers?: Readonly<Record<string, unknown>>;
  /** HTTP/2: how the stream ended, 0 where in order. */
  readonly code?: number;
};
type ClientOptions = { readonly authority: string; readonly shown?: Signed | undefined };

export const openHttp2 = async (
  { port }: { readonly port: number },
  { authority, shown }: ClientOptions,
): Promise<ClientHttp2Session> => {
  const session = connect(`https://gate.test:${port}`, {
    host: '127.0.0.1',
    servername: 'gate.test',
    ca: authority,
    ...(shown !== undefined && { cert: shown.certificate, key: shown.key }),
  });
  session.on('error', () => {});
  await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
  return session;
};

/** Sends one request and waits for the stream to end, in whatever way. */
export const ask = (session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string): Promise<Answered> =>
  new Promise((resolve) => {
    const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined });
    let [status, text] = [0, ''];
    let answered: Record<string, unknown> = {};
    let trailers: Record<string, unknown> | undefined;
    stream.setEncoding('utf8');
    stream.on('response', (received) => {
      answered = received;
      status = Number(received[':status']);
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('error', () => {});
    stream.on('close', () =>
      resolve({
        status,
        headers: answered,
        body: text,
        code: stream.rstCode,
        ...(trailers !== undefined && { trailers }),
      }),
    );
    if (body !== undefined) stream.end(body);
  });

/** One HTTPS request over HTTP/1.1 on a connection of its own; status 0 where the handshake fails. */
export const askHttps = (
  port: number,
  path: string,
  { authority, shown, headers = {} }: ClientOptions & { readonly headers?: Record<string, string> },
): Promise<Answered> =>
  new Promise((resolve) => {
    const sent = httpsRequest(
      {
        host: '127.0.0.1',
        servername: 'gate.test',
        port,
        path,
        ca: authority,
        agent: false,
        headers: { host: 'gate.test', ...headers },
        ...(shown !== undefined && { cert: shown.certificate, key: shown.key }),
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('close', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    sent.on('error', () => resolve({ status: 0, headers: {}, body: '' }));
    sent.end();
  });
