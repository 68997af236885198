/** The grants room on a log, with the gate in front of it: what it is sent comes with an assertion. Used by tests only. */
import type { EventLog, InboundFeed } from '@postern/event-log';
import { type ProfileStore, type SealedStore, type SealedText, sealedTexts } from '@postern/profiles';
import { assertionKeys, type Clock, silentLogger, systemClock } from '@postern/runtime';
import { beginning, type Fact, RoleName, RoleRules, showTexts } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type GrantsConfig, type GrantsDeps, grantsService } from '../../app.ts';

const model = {
  schema: 'definition user {}\n',
  services: [],
  roles: new Map([
    [
      RoleName.parse('payroll-reader'),
      RoleRules.parse({ allows: [{ endpoint: 'payroll/list' }], birthright: { department: 'finance' } }),
    ],
  ]),
};

export type Answer = { readonly status: number; readonly body: Record<string, unknown> & { readonly type?: string } };
export type RoomOptions = Omit<Partial<GrantsConfig>, 'feeds'> &
  Partial<Pick<GrantsDeps, 'clock' | 'telemetry' | 'profiles' | 'noticePace'>> & {
    readonly feeds?: readonly { readonly feed: InboundFeed; readonly rule?: string }[];
  };

/** Feeds write no profiles. */
const noProfiles: ProfileStore = {
  find: async () => [],
  page: async () => [],
  count: async () => 0,
  write: async () => [],
  async [Symbol.asyncDispose]() {},
};

/** Only as much as a room that is open in a test asks of it. */
const keptTexts = (): SealedStore => {
  const texts = new Map<string, SealedText>();
  return {
    keep: async (more) => {
      for (const text of more) texts.set(text.commitment, text);
    },
    forget: async (commitments) => {
      for (const one of commitments) texts.delete(one);
    },
    find: async (commitments) => commitments.flatMap((one) => texts.get(one) ?? []),
    of: async () => [...texts.values()],
    erase: async () => 0,
    scrub: async () => {},
    async [Symbol.asyncDispose]() {},
  };
};

export const openRoom = async (
  log: EventLog,
  { clock = systemClock, feeds = [], profiles = noProfiles, noticePace = {}, ...config }: RoomOptions = {},
) => {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const keys = assertionKeys({ heartbeats: log.enforcement, clock: systemClock, log: silentLogger });
  await keys.start();
  const sealed = keptTexts();
  const room = grantsService(
    {
      eventLog: log,
      openFeed: async (kafka) => feeds[Number(kafka)]?.feed as InboundFeed,
      profiles,
      sealed,
      noticePace,
      keys,
      clock: clock satisfies Clock,
      telemetry: noTelemetry,
      log: silentLogger,
      checkSchema: async () => {},
    },
    {
      model,
      enforceTimeoutMs: 300,
      scim: { principal: 'externalId', group: 'externalId' },
      administratorKey: { keep: async (make) => make(), discard: async () => {}, issued: () => {} },
      feeds: feeds.map(({ rule }, at) => ({ kafka: String(at), group: 'test', ...(rule !== undefined && { rule }) })),
      ...config,
    },
  );
  await room.start();
  const beat = { instance: kid, state: 'serving', enforces: 1e9, leaseMs: 60_000, at: new Date().toISOString() };
  await log.enforcement.publish([
    { key: kid, bytes: new TextEncoder().encode(JSON.stringify({ ...beat, jwk: { ...jwk, kid } })) },
  ]);

  const assertion = (sub: string) =>
    new SignJWT({ endpoint: 'postern/x', sub })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'postern-assertion+jwt' })
      .setIssuer('postern')
      .setAudience('postern')
      .setIssuedAt()
      .setExpirationTime('20s')
      .sign(privateKey);

  const call = async (
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    body?: unknown,
    { as = 'user:admin', type = 'application/json' }: { as?: string; type?: string } = {},
  ): Promise<Answer> => {
    const answer = await room.http.inject({
      method,
      url: `/.postern${url}`,
      headers: { 'postern-assertion': await assertion(as), ...(body !== undefined && { 'content-type': type }) },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.statusCode, body: answer.body === '' ? {} : (answer.json() as Answer['body']) };
  };

  return {
    room,
    model,
    call,
    send: (event: object | readonly object[], as?: string) =>
      call('POST', '/events', Array.isArray(event) ? event.map(complete) : complete(event), {
        type: `application/cloudevents${Array.isArray(event) ? '-batch' : ''}+json`,
        ...(as !== undefined && { as }),
      }),
    /** As they are shown; `recorded`: as the log has them. */
    facts: async (as: 'shown' | 'recorded' = 'shown'): Promise<Fact[]> => {
      const found: Fact[] = [];
      for await (const { entries, atHead } of log.facts.follow(beginning, { signal: AbortSignal.timeout(5_000) })) {
        found.push(...entries.flatMap(({ fact }) => fact ?? []));
        if (atHead) break;
      }
      return as === 'shown' ? showTexts(found, sealedTexts(sealed)) : found;
    },
    [Symbol.asyncDispose]: async () => {
      await room.stop();
      await keys.stop();
      await sealed[Symbol.asyncDispose]();
    },
  };
};

export type TestRoom = Awaited<ReturnType<typeof openRoom>>;

const complete = (event: object): object => ({ specversion: '1.0', source: '/hr', ...event });
