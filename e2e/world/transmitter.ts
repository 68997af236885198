/** A transmitter of security events with keys of its own: metadata, push (RFC 8935), poll (RFC 8936), verification and status. */
import type { IncomingMessage } from 'node:http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { startHttp } from './stub-server.ts';

export const signalAudience = 'https://gate.test/ssf';
export const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
export const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type/';

export type SetOptions = {
  readonly claims?: JWTPayload;
  readonly header?: { readonly typ?: string; readonly kid?: string };
  /** Signed by a key that the transmitter does not publish. */
  readonly forged?: boolean;
};

export type Transmitter = AsyncDisposable & {
  readonly issuer: string;
  readonly pollUrl: string;
  /** A token with one event about a subject; `jti` is new where none is given. */
  readonly set: (
    type: string,
    subject: object | undefined,
    event?: object,
    options?: SetOptions,
  ) => Promise<{ readonly jti: string; readonly token: string }>;
  /** Hands it out to whoever polls, until it is acknowledged or refused. */
  readonly offer: (set: { readonly jti: string; readonly token: string }) => void;
  readonly acknowledged: ReadonlySet<string>;
  readonly refused: ReadonlyMap<string, { readonly err: string }>;
};

const bodyOf = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
};

export const startTransmitter = async (): Promise<Transmitter> => {
  const own = await generateKeyPair('RS256', { modulusLength: 2048 });
  const stranger = await generateKeyPair('RS256', { modulusLength: 2048 });
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'signals-1', alg: 'RS256', use: 'sig' };
  const offered = new Map<string, string>();
  const acknowledged = new Set<string>();
  const refused = new Map<string, { err: string }>();
  let numbers = 0;

  const server = await startHttp((request, response, url) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const path = request.url?.split('?')[0];
    void bodyOf(request).then(async (body) => {
      if (path === '/.well-known/ssf-configuration/tenant')
        return answer(200, {
          spec_version: '1_0',
          issuer: `${url}/tenant`,
          jwks_uri: `${url}/jwks.json`,
          verification_endpoint: `${url}/verify`,
          status_endpoint: `${url}/status`,
        });
      if (path === '/jwks.json') return answer(200, { keys: [jwk] });
      if (path === '/status') return answer(200, { stream_id: 'stream-1', status: 'enabled' });
      if (path === '/verify') {
        const subject = { format: 'opaque', id: body['stream_id'] };
        const verification = await made.set(`${ssf}verification`, subject, { state: body['state'] });
        made.offer(verification);
        response.writeHead(204).end();
        return;
      }
      if (path !== '/poll') return answer(404, {});
      for (const jti of (body['ack'] as string[] | undefined) ?? []) {
        acknowledged.add(jti);
        offered.delete(jti);
      }
      for (const [jti, error] of Object.entries((body['setErrs'] as Record<string, { err: string }>) ?? {})) {
        refused.set(jti, error);
        offered.delete(jti);
      }
      const sets = Object.fromEntries([...offered].slice(0, Number(body['maxEvents'] ?? 10)));
      return answer(200, { sets, moreAvailable: false });
    });
  });
  const issuer = `${server.url}/tenant`;
  const made: Transmitter = {
    ...server,
    issuer,
    pollUrl: `${server.url}/poll`,
    acknowledged,
    refused,
    offer: ({ jti, token }) => void offered.set(jti, token),
    set: async (type, subject, event = {}, { claims = {}, header = {}, forged = false } = {}) => {
      const jti = `set-${process.pid}-${++numbers}`;
      const now = Math.floor(Date.now() / 1_000);
      const token = await new SignJWT({
        iss: issuer,
        jti,
        iat: now,
        aud: signalAudience,
        ...(subject !== undefined && { sub_id: subject }),
        events: { [type]: event },
        ...claims,
      })
        .setProtectedHeader({ alg: 'RS256', kid: 'signals-1', typ: 'secevent+jwt', ...header })
        .sign(forged ? stranger.privateKey : own.privateKey);
      return { jti: String(claims['jti'] ?? jti), token };
    },
  };
  return made;
};
