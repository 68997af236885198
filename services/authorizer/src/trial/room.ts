/** For tests: the room on a real log and a real engine, and a gate's signature to speak to it. */
import type { EventLog } from '@postern/event-log';
import type { Relationships } from '@postern/relationships';
import {
  assertionHeader,
  assertionIssuer,
  type Room as RoomService,
  silentLogger,
  systemClock,
} from '@postern/runtime';
import {
  type DecisionPoint,
  type FactDraft,
  type GrantId,
  gateSchema,
  type RoleName,
  type Sequence,
  type SubjectId,
} from '@postern/schemas';
import { draftOf, nthId } from '@postern/schemas/histories';
import { noTelemetry } from '@postern/telemetry';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type AuthorizerConfig, authorizerService } from '../app.ts';

export type Room = AsyncDisposable & {
  readonly service: RoomService & DecisionPoint;
  /** Appends the facts and waits until decisions rest on them. */
  readonly tell: (...drafts: FactDraft[]) => Promise<Sequence>;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Reply>;
  readonly post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Reply>;
};
export type Reply = { readonly status: number; readonly body: unknown; readonly headers: Record<string, unknown> };

export const room = async (log: EventLog, engine: Relationships, config: AuthorizerConfig = {}): Promise<Room> => {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'gate', alg: 'EdDSA' };
  const service = authorizerService(
    {
      facts: log.facts,
      engine,
      keys: { current: () => [jwk] },
      clock: systemClock,
      log: silentLogger,
      telemetry: noTelemetry,
    },
    { waitMs: 5_000, ...config },
  );
  await service.start();
  const assertion = await new SignJWT({ endpoint: 'postern/ask' })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'postern-assertion+jwt', kid: 'gate' })
    .setIssuer(assertionIssuer)
    .setAudience('postern')
    .setSubject('user:admin')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
  const send = async (method: 'GET' | 'POST', url: string, headers: Record<string, string>, payload?: string) => {
    const reply = await service.http.inject({
      method,
      url,
      headers: { [assertionHeader]: assertion, ...headers },
      ...(payload !== undefined && { payload }),
    });
    if (reply === undefined) throw new TypeError('the room has no HTTP');
    return { status: reply.statusCode, body: reply.json(), headers: reply.headers };
  };
  return {
    service,
    tell: async (...drafts) => {
      const appended = await log.facts.append(await log.facts.head(), drafts);
      if (appended.outcome === 'lost') throw new Error('somebody else writes to this log');
      // Whoever it asks about, the answer rests on the head.
      const [answer] = await service.decide([
        {
          subjects: ['user:nobody' as never],
          endpoint: 'none/none' as never,
          context: { now: '2026-01-01T00:00:00Z' },
          atLeast: appended.head,
        },
      ]);
      if (answer?.outcome !== 'deny') throw new Error(`not reached: ${service.notReady().join()}`);
      return appended.head;
    },
    get: (path, headers = {}) => send('GET', path, headers),
    post: (path, body, headers = {}) =>
      send(
        'POST',
        path,
        { 'content-type': 'application/json', ...headers },
        typeof body === 'string' ? body : JSON.stringify(body),
      ),
    [Symbol.asyncDispose]: () => service.stop(),
  };
};

/** Facts of a small organisation, each with its place as its id. */
export const facts = {
  schema: (n: number, text = gateSchema) =>
    draftOf(n, 'postern.schema.published.v1', { text, part: 1, parts: 1, digest: 'none' }),
  joined: (n: number, principal: string) =>
    draftOf(n, 'postern.principal.joined.v1', { principal: principal as never, attributes: {} }),
  member: (n: number, group: string, ...add: string[]) =>
    draftOf(n, 'postern.group.changed.v1', { group: group as never, add: add as never, remove: [] }),
  role: (n: number, role: string, ...allows: object[]) =>
    draftOf(n, 'postern.role.defined.v1', { role: role as RoleName, rules: { allows: allows as never } }),
  grant: (n: number, subject: string, role: string, conditions?: object) =>
    draftOf(n, 'postern.grant.issued.v1', {
      grant: nthId(n) as GrantId,
      subject: subject as SubjectId,
      role: role as RoleName,
      ...(conditions && { conditions }),
      origin: 'direct',
      reason: 'a test',
    }),
  key: (n: number, credential: string, owner: string) =>
    draftOf(n, 'postern.credential.issued.v1', {
      credential: credential as never,
      owner: owner as never,
      digest: String(n).padStart(43, 'k'),
    }),
  left: (n: number, principal: string) => draftOf(n, 'postern.principal.left.v1', { principal: principal as never }),
  related: (n: number, object: string, relation: string, subject: string) =>
    draftOf(n, 'postern.object.related.v1', {
      object: object as never,
      relation: relation as never,
      subject: subject as never,
    }),
  routes: (n: number, service: string, ...endpoints: object[]) =>
    draftOf(n, 'postern.routes.published.v1', {
      service: service as never,
      mount: `/${service}`,
      endpoints: endpoints as never,
      part: 1,
      parts: 1,
      digest: 'none',
    }),
};
