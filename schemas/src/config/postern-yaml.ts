/** `postern.yaml`: everything one installation says about itself. Unknown keys are errors. */
import { z } from 'zod';
import { AccessClass } from '../facts/role.ts';
import { ServiceName } from '../ids.ts';
import { ConsoleConfig } from './console.ts';
import { Issuers } from './issuer.ts';
import { KafkaFeeds } from './kafka-feeds.ts';
import { NoticeSubscriptions } from './notices.ts';
import { Recording } from './recording.ts';
import { Transmitters } from './signals.ts';
import { Tls } from './tls.ts';
import { traffic, UpstreamTargets } from './traffic.ts';

const Address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, 'write HOST:PORT, for instance 127.0.0.1:8080');
const Url = (...schemes: string[]) =>
  z
    .string()
    .regex(
      new RegExp(`^(${schemes.join('|')}):`),
      `write a URL that begins with ${schemes.map((scheme) => `${scheme}:`).join(', ')}`,
    );

const OperationPath = z
  .string()
  .regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'write a plain path such as /graphql, below the mount');

/** A GraphQL API: each root field of its schema is an endpoint. */
export const GraphQlConfig = z.strictObject({
  path: OperationPath.default('/graphql'),
  /** The schema in GraphQL's own language. */
  schema: z.string(),
  /** Selections in selections; deeper operations are refused. */
  depthMax: z.number().int().min(1).max(200).default(10),
  /** Documents that are called by their SHA-256 instead of being sent: a JSON file, hash → document, or an Apollo manifest. */
  persisted: z.string().optional(),
});
export type GraphQlConfig = z.infer<typeof GraphQlConfig>;

/** A tool of an MCP server as listed by hand: its name, or its name and class. */
export const McpTool = z.union(
  [z.string().min(1), z.strictObject({ name: z.string().min(1), access: AccessClass.optional() })],
  { error: 'write the name of a tool, or { name, access }' },
);
export type McpTool = z.infer<typeof McpTool>;
/** An MCP server over streamable HTTP: each tool and each method is an endpoint. */
export const McpConfig = z.strictObject({
  path: OperationPath.default('/mcp'),
  /** The tools, or a JSON or YAML file with the answer of the server's `tools/list`. */
  tools: z.union([z.string().min(1), z.array(McpTool)], { error: 'write a list of tools, or the path of a file' }),
});
export type McpConfig = z.infer<typeof McpConfig>;

export const ServiceConfig = z
  .strictObject({
    upstream: UpstreamTargets,
    /** What the API speaks. `http2`: as agreed in TLS (https:), or in clear text by prior knowledge (http:); gRPC needs it. */
    protocol: z.enum(['http1', 'http2']).default('http1'),
    mount: z
      .string()
      .regex(/^\/[a-z0-9][a-z0-9/_.-]*[a-z0-9]$/i, 'write a path such as /payroll, without a trailing slash'),
    openapi: z.string().optional(),
    /** What becomes of the paths in `servers` of the OpenAPI document: they stand before each template, or are ignored. */
    servers: z.enum(['prefix', 'ignore']).default('prefix'),
    /** A hand-written file of routes, beside the other descriptions or instead of them; what it says goes before what they say. */
    routes: z.string().optional(),
    /** Protocol buffers: each method of a service is an endpoint. */
    grpc: z
      .union(
        [
          z.string(),
          z.array(z.string()).min(1),
          z.strictObject({
            files: z.union([z.string(), z.array(z.string()).min(1)]),
            /** Folders in which imports are looked for first; then in the file's own and those above it. */
            include: z.array(z.string()).default([]),
          }),
        ],
        { error: 'write the path of a .proto file, a list, or { files, include }' },
      )
      .optional(),
    graphql: GraphQlConfig.optional(),
    mcp: McpConfig.optional(),
    /** From the end of the request to the first byte of the answer, in ms. */
    timeoutMs: z.number().int().min(1).max(3_600_000).default(30_000),
    bodyBytesMax: z.number().int().min(0).default(10_485_760),
    ...traffic,
    /** `observe` refuses nobody for want of a grant and records who would have been refused; only until `observeUntil`. */
    mode: z.enum(['enforce', 'observe']).default('enforce'),
    /** RFC 3339; from then on the service is enforced by itself. */
    observeUntil: z.iso
      .datetime({ offset: true, error: 'write an RFC 3339 instant, for instance 2026-12-01T08:00:00Z' })
      .optional(),
  })
  .refine(({ mode, observeUntil }) => (mode === 'observe') === (observeUntil !== undefined), {
    path: ['observeUntil'],
    error: 'mode: observe needs observeUntil, the instant from which it is enforced, and nothing else takes one',
  });
export type ServiceConfig = z.infer<typeof ServiceConfig>;

export const PosternYaml = z.strictObject({
  listen: Address.default('127.0.0.1:8080'),
  /** HTTPS and HTTP/2 in place of plain HTTP at `listen`. */
  tls: Tls.optional(),
  /** HOST:PORT of a further listener for HTTP/2 in the clear (prior knowledge alone): for a mesh whose sidecars encrypt. */
  h2c: Address.optional(),
  health: Address.default('127.0.0.1:8081'),
  /** How many gates of `postern serve proxy` share the address, each a process of its own. */
  workers: z.number().int().min(1).max(64).default(1),
  /** What happens to requests when the gate is told to stop. */
  drain: z
    .strictObject({
      /** `/readyz` says no for this long while everything is still served: time for a load balancer to notice. In ms. */
      delayMs: z.number().int().min(0).max(300_000).default(0),
      /** Connections that have been silent for this long are then closed, in ms; what still comes on others is answered. */
      idleMs: z.number().int().min(0).max(60_000).default(300),
      /** How long what is under way may then go on, in ms; after that it is cut. */
      timeoutMs: z.number().int().min(0).max(3_600_000).default(10_000),
    })
    .prefault({}),
  data: z.string().default('./.postern'),
  recording: Recording.prefault({}),
  eventLog: Url('kafka', 'file', 'memory').optional(),
  relationships: Url('spicedb', 'embedded').optional(),
  auditStore: Url('postgres', 'postgresql', 'file', 'memory').optional(),
  /** Where SCIM's names and addresses are kept, erasable; left out, beside the record where that is PostgreSQL, else in the data folder. */
  profiles: Url('postgres', 'postgresql', 'file', 'memory').optional(),
  /** Where the rooms find each other in the distributed world. */
  rooms: z
    .strictObject({
      authorizer: Url('http', 'https').optional(),
      grants: Url('http', 'https').optional(),
      audit: Url('http', 'https').optional(),
      /** Left out, this gate has no console. */
      console: Url('http', 'https').optional(),
      /** What this room listens on when it runs by itself. */
      listen: Address.default('127.0.0.1:8082'),
      /** A file with the secret that proxies and the authorizer share; left out, the authorizer's /pdp trusts its network. */
      tokenFile: z.string().optional(),
    })
    .prefault({}),
  issuers: Issuers.default([]),
  trustedProxies: z.array(z.union([z.cidrv4(), z.cidrv6()])).default([]),
  /** For those who keep their gateway: nginx, Traefik, Caddy or Envoy forward by themselves and ask this gate about each request. */
  gateways: z
    .strictObject({
      /** CIDR blocks of the gateways that may ask. What they say of a request and of whose address it comes from is believed. */
      trusted: z.array(z.union([z.cidrv4(), z.cidrv6()])).default([]),
      /** A file with a secret that each of them sends as `Postern-Gateway`; needed where a gateway passes clients on to this gate too. */
      tokenFile: z.string().min(1).optional(),
      /** HOST:PORT for Envoy's ext_authz over gRPC; left out, there is no such listener. */
      extAuthz: Address.optional(),
    })
    .refine(({ trusted, tokenFile, extAuthz }) => trusted.length > 0 || (tokenFile ?? extAuthz) === undefined, {
      path: ['trusted'],
      error: 'name the addresses of the gateways that may ask, for instance 10.0.0.7/32',
    })
    .refine(({ trusted, tokenFile }) => tokenFile !== undefined || !trusted.some((block) => block.endsWith('/0')), {
      path: ['trusted'],
      error: 'this lets everybody ask as a gateway: name the gateways, or a tokenFile that they alone know',
    })
    .prefault({}),
  /** A country database in MaxMind's format (GeoLite2-Country.mmdb); without one a condition on countries is never met. */
  geo: z.string().min(1).optional(),
  services: z.record(ServiceName, ServiceConfig).default({}),
  model: z
    .strictObject({
      /** A .zed file, a folder of them, or a list of either; the gate's own definitions are always there. */
      schema: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
      roles: z.string().optional(),
      assertions: z.string().optional(),
      /** `at-start`: the files here are published at every start and reload; `by-command`: only into an empty log, after that by `postern publish`. */
      publish: z.enum(['at-start', 'by-command']).default('at-start'),
    })
    .prefault({}),
  /** How long a proxy trusts cached decisions without hearing from the log, in ms. */
  leaseMs: z.number().int().min(500).max(60_000).default(5_000),
  /** How many decisions the proxy keeps, at about 300 bytes each. */
  cachedDecisionsMax: z.number().int().min(0).default(200_000),
  /** Inbound topics of HR and identity systems, on the event log's Kafka or another: kafka://brokers/topic. */
  feeds: KafkaFeeds.default([]),
  console: ConsoleConfig.prefault({}),
  scim: z
    .strictObject({
      /** What a new User is known by for ever: `user:VALUE`, as the issuers' tokens name it. Without the value an id is made up. */
      principal: z.enum(['externalId', 'userName']).default('externalId'),
      /** What a new Group is known by for ever: `group:VALUE`. */
      group: z.enum(['externalId', 'displayName']).default('externalId'),
    })
    .prefault({}),
  /** The file that says what foreign events mean, for instance feeds.yaml. */
  feedRules: z.string().min(1).optional(),
  /** Transmitters of security events (Shared Signals). */
  signals: Transmitters.default([]),
  /** Webhooks out: who is told of what happens here. */
  notices: NoticeSubscriptions.default([]),
  audit: z
    .strictObject({
      /** Names the logs in their checkpoints: a schemeless URL of yours, such as audit.example.com. */
      origin: z
        .string()
        .regex(/^[a-z0-9.-]+(\/[a-z0-9._-]+)*$/, 'write a URL without its scheme, for instance audit.example.com')
        .default('postern.local'),
      /** The file with the keys that sign checkpoints; left out, one is made in the data folder. */
      key: z.string().optional(),
      /** PostgreSQL: the URL of the role that owns the tables; the role of auditStore then may read and append, and no more. */
      owner: Url('postgres', 'postgresql').optional(),
      /** The folder in which the newest checkpoints are kept outside the record; left out, the data folder. */
      anchor: z.string().optional(),
      /** Witnesses that sign that the logs only grow (C2SP tlog-witness); each is asked for every checkpoint that is the newest. */
      witnesses: z
        .array(z.strictObject({ url: Url('http', 'https'), vkey: z.string().regex(/^[^+\s]+\+[0-9a-f]{8}\+\S+$/) }))
        .default([]),
      /** How many of them make a checkpoint witnessed; left out, all. */
      quorum: z.int().min(1).optional(),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      /** OTLP over HTTP, for instance http://127.0.0.1:4318; left out, nothing is traced. */
      otlp: Url('http', 'https').optional(),
    })
    .default({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
});
export type PosternYaml = z.infer<typeof PosternYaml>;
