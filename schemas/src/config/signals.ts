/** Transmitters of security events (Shared Signals): who they are, how their events come, and whom their subjects mean here. */
import { z } from 'zod';
import { FeedName } from './feeds-yaml.ts';
import { Algorithm } from './issuer.ts';

const https = z.string().regex(/^https?:/, 'write a URL that begins with https: or http:');

export const Transmitter = z
  .strictObject({
    name: FeedName,
    issuer: z.url(),
    /** What its events are addressed to: one of these has to be in `aud`. */
    audience: z.array(z.string().min(1)).min(1),
    /** A URL or file:PATH; left out, its own metadata says where (/.well-known/ssf-configuration). */
    jwks: z
      .string()
      .regex(/^(http|https|file):/, 'write a URL that begins with http:, https:, file:')
      .optional(),
    /** The interoperability profile asks for RS256. */
    algorithms: z.array(Algorithm).min(1).default(['RS256', 'ES256', 'EdDSA']),
    /** It sends them to /.postern/ssf/push. */
    push: z.boolean().default(true),
    /** They are fetched. */
    poll: z
      .strictObject({
        endpoint: https,
        /** A file with what to send as `Authorization`; it is read at each request. */
        authorizationFile: z.string().min(1).optional(),
        /** How long to wait before asking again where nothing came, in ms. */
        pauseMs: z.number().int().min(100).max(600_000).default(5_000),
        /** Whether it may hold a request until something comes. */
        longPoll: z.boolean().default(true),
        maxEvents: z.number().int().min(1).max(1_000).default(100),
      })
      .optional(),
    /** Its management API: asked to send a verification event, and for the stream's status. */
    stream: z
      .strictObject({
        id: z.string().min(1),
        authorizationFile: z.string().min(1).optional(),
      })
      .optional(),
    subjects: z
      .strictObject({
        type: z.enum(['user', 'workload']).default('user'),
        /** Issuers whose `sub` is the id of a principal here; left out, the transmitter itself. */
        issuers: z.array(z.string().min(1)).min(1).optional(),
        /** Whether an opaque id is the id of a principal here. */
        opaque: z.boolean().default(false),
        /** A YAML file, e-mail address or account → principal: addresses change hands, so no rule makes an id of one. */
        accounts: z.string().min(1).optional(),
      })
      .prefault({}),
  })
  .refine(({ push, poll }) => push || poll !== undefined, {
    path: ['push'],
    error: 'its events come neither by push nor by poll',
  });
export type Transmitter = z.infer<typeof Transmitter>;

export const Transmitters = z
  .array(Transmitter)
  .refine(
    (all) => new Set(all.map(({ issuer }) => issuer)).size === all.length,
    'a transmitter’s issuer is named twice',
  )
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'a transmitter’s name is given twice');
