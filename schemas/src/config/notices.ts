/** Webhooks out: who is told of which facts, where, and signed with what. */
import { z } from 'zod';
import { RoleName } from '../ids.ts';
import { FeedName } from './feeds-yaml.ts';

const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

export const NoticeSubscription = z
  .strictObject({
    name: FeedName,
    url: z.url({ protocol: /^https?$/, error: 'write a URL that begins with https: or http:' }),
    /** Files with `whsec_…` secrets, one a line; each notice is signed with every one. Read at each notice, so a new one counts at once. */
    secretFile: oneOrMore.optional(),
    /** Names of environment variables with the same. */
    secretEnv: oneOrMore.optional(),
    /** Types of facts, or the beginning of types with .* behind it; left out, every type that is told at all. */
    types: z
      .array(
        z.string().regex(/^postern\.[a-z.-]+(v\d+|\*)$/, 'write a type, or the beginning of types with .* behind it'),
      )
      .min(1)
      .optional(),
    /** Only what speaks of one of these roles. */
    roles: z.array(RoleName).min(1).optional(),
    /** Networks that may be reached though they are private, as CIDR blocks. */
    allowAddresses: z.array(z.union([z.cidrv4(), z.cidrv6()])).default([]),
    /** From the beginning of the connection to the head of the answer, in ms. */
    timeoutMs: z.number().int().min(100).max(60_000).default(10_000),
    /** For how many days a notice is tried again; then it is given up, and the next one has its turn. */
    retryDays: z.number().min(0.01).max(30).default(3),
  })
  .refine(({ secretFile, secretEnv }) => (secretFile ?? secretEnv) !== undefined, {
    path: ['secretFile'],
    error: 'a notice is signed: name a file or an environment variable with a secret that begins with whsec_',
  })
  .refine(({ url, allowAddresses }) => url.startsWith('https:') || allowAddresses.length > 0, {
    path: ['url'],
    error: 'in the clear only to a network that allowAddresses names; write https:',
  })
  .refine(({ url }) => URL.parse(url)?.username === '' && URL.parse(url)?.password === '', {
    path: ['url'],
    error: 'a name and password in a URL end up in logs; the signature says who sends',
  });
export type NoticeSubscription = z.infer<typeof NoticeSubscription>;

export const NoticeSubscriptions = z
  .array(NoticeSubscription)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'a subscription’s name is given twice');
