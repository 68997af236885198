/** How a service's API is reached, and how much of it anybody may use: the parts of `services.<name>` that are about traffic. */
import { z } from 'zod';
import { EndpointId } from '../ids.ts';

const Ms = z.number().int().min(1).max(86_400_000);
const Share = z.number().min(0).max(1);
const HttpUrl = z.string().regex(/^https?:/, 'write a URL that begins with http:, https:');

/** One target, or several that answer alike: each request goes to the less busy of two that are picked at random. */
export const UpstreamTargets = z
  .union([HttpUrl, z.array(HttpUrl).min(1)], { error: 'write a URL that begins with http:, https:, or a list of them' })
  .refine((value) => typeof value === 'string' || new Set(value).size === value.length, 'a target is named twice')
  .refine(
    (value) => typeof value === 'string' || new Set(value.map(pathOf)).size === 1,
    'all targets of a service have to have the same path, because a request may go to any of them',
  );
const pathOf = (url: string): string => (URL.canParse(url) ? new URL(url).pathname.replace(/\/$/, '') : '');

/** Beside `timeoutMs`, the time to the first byte of an answer. Looked at ten times a second. */
export const Timeouts = z.strictObject({
  /** To a connection that is open for requests, in ms. */
  connectMs: Ms.default(10_000),
  /** Without a byte either way on a request that is being sent or an answer that has begun, in ms. */
  idleMs: Ms.default(300_000),
  /** For the whole exchange, in ms; left out, it may last as long as its decision. WebSockets are not counted. */
  totalMs: Ms.optional(),
  /** Without a byte either way on a WebSocket, in ms. */
  websocketIdleMs: Ms.default(300_000),
});
export type Timeouts = z.infer<typeof Timeouts>;

/** A question to each target, again and again: is it well? A target that is not gets no requests. */
export const HealthCheck = z.strictObject({
  /** Asked with GET, at the target itself: not below the path of `upstream`. */
  path: z.string().regex(/^\/[!-~]*$/, 'write a path such as /healthz'),
  everyMs: Ms.default(5_000),
  timeoutMs: Ms.default(2_000),
  /** Bad answers in a row until it gets no more requests. */
  unhealthyAfter: z.number().int().min(1).default(3),
  /** Good answers in a row until it gets requests again. */
  healthyAfter: z.number().int().min(1).default(2),
});
export type HealthCheck = z.infer<typeof HealthCheck>;

/** Targets that fail are set aside by what their answers show, and tried again with one request at a time: a circuit breaker. */
export const Outliers = z.strictObject({
  /** Failures in a row (no connection, broken off, too slow, 5xx); 0 looks at none of them. */
  consecutiveFailures: z.number().int().min(0).default(5),
  /** Share of failures among at least 20 answers within ten seconds. */
  failureShare: Share.default(0.5),
  /** How long a target is set aside the first time; each time in a row it is twice as long. In ms. */
  baseMs: Ms.default(2_000),
  maxMs: Ms.default(60_000),
  /** Of the targets that can be reached, no more than this share is set aside. Targets that nothing connects to do not count. */
  maxShare: Share.default(0.5),
});
export type Outliers = z.infer<typeof Outliers>;

/** A request is sent again only if the API cannot have acted on it. */
export const Retries = z.strictObject({
  /** Further attempts of one request; 0 makes none. */
  attempts: z.number().int().min(0).max(5).default(1),
  /** Retries in relation to requests, so that an API in trouble is not called more often for it. */
  budgetShare: Share.default(0.2),
});
export type Retries = z.infer<typeof Retries>;

/** How often a service may be called; counted at the gate, after the decision. */
export const RateLimit = z.strictObject({
  /** In the RateLimit headers. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'write a short name in lower case')
    .default('default'),
  requests: z.number().int().min(1).max(1_000_000_000),
  windowSeconds: z.number().int().min(1).max(86_400).default(60),
  /** Who shares a count: each principal, each credential (a token counts for its principal), or everyone together. A caller without a credential counts by address. */
  per: z.enum(['principal', 'credential', 'everyone']).default('principal'),
  /** `service`: all its endpoints together; `endpoint`: each by itself. */
  by: z.enum(['service', 'endpoint']).default('service'),
  /** Only these count; left out, all of the service. */
  endpoints: z.array(EndpointId).min(1).optional(),
});
export type RateLimit = z.infer<typeof RateLimit>;

/** All of them, as they stand in a service. */
export const traffic = {
  timeouts: Timeouts.prefault({}),
  health: HealthCheck.optional(),
  outliers: Outliers.prefault({}),
  retries: Retries.prefault({}),
  rateLimits: z
    .array(RateLimit)
    .max(10)
    .default([])
    .refine(
      (limits) => new Set(limits.map(({ name }) => name)).size === limits.length,
      'each limit of a service needs a name of its own',
    ),
  /** `Server-Timing` in answers: where the caller sends `Postern-Timing: 1`, in all of them, or in none. */
  serverTiming: z.enum(['asked', 'always', 'never']).default('asked'),
};
