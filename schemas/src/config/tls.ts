/** The gate's own certificate, and what its clients' certificates mean. */
import { z } from 'zod';
import { PrincipalId } from '../ids.ts';

const file = z.string().min(1);

/** Somebody whose certificates name callers. What one authority says of a name binds no other. */
export const ClientAuthority = z
  .strictObject({
    /** Certificates of authorities, PEM, one or more. */
    ca: file,
    /** Revocation lists, PEM, for every authority in the chain: where this is given, a chain without one is refused. */
    crl: file.optional(),
    /** SPIFFE ids of this trust domain, spiffe://DOMAIN/PATH, are `workload:` and the prefix and PATH, encoded. */
    spiffe: z
      .strictObject({
        trustDomain: z.string().regex(/^[a-z0-9._-]+$/, 'write a trust domain such as example.org'),
        /** Left out, spiffe://DOMAIN/. */
        prefix: z.string().optional(),
      })
      .optional(),
    /**
     * Names in certificates that are callers: `DNS:ci.example.com`, `URI:…`, `email:…` of the subject's alternative names, or the
     * whole subject as `subject:O=Example,CN=ci`. A name that is not listed is nobody, a common name by itself too.
     */
    names: z
      .record(
        z.string().regex(/^(DNS|URI|email|subject):./, 'write DNS:NAME, URI:URI, email:ADDRESS or subject:NAME'),
        PrincipalId,
      )
      .default({}),
  })
  .refine(({ spiffe, names }) => spiffe !== undefined || Object.keys(names).length > 0, {
    path: ['names'],
    error: 'say whom its certificates name: spiffe, names, or both',
  });
export type ClientAuthority = z.infer<typeof ClientAuthority>;

export const TlsClients = z
  .strictObject({
    /** Refuses connections without a certificate of one of the authorities. */
    required: z.boolean().default(false),
    /** Left out or empty, certificates name nobody, and only bind tokens (RFC 8705). */
    authorities: z.array(ClientAuthority).default([]),
    /**
     * Who calls, where a request carries a token or key besides a certificate that names somebody: `refuse` lets nobody through (but
     * a token that is bound to this very certificate is its caller), `credential` the token's or key's owner, `certificate` whom it
     * names, `both` the owner through the one that the certificate names, and both have to hold the permission.
     */
    withCredential: z.enum(['refuse', 'credential', 'certificate', 'both']).default('refuse'),
  })
  .refine(({ authorities }) => new Set(authorities.map(({ crl }) => crl === undefined)).size < 2, {
    path: ['authorities'],
    error: 'revocation lists are for every authority or for none: a chain without its list is refused',
  });
export type TlsClients = z.infer<typeof TlsClients>;

export const Tls = z
  .strictObject({
    /** PEM: the gate's certificate first, then those between it and its authority. */
    certificate: file,
    /** PEM, without a passphrase. */
    key: file,
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
    /** Asks clients for certificates. */
    clients: TlsClients.optional(),
  })
  .refine(({ clients }) => clients?.required !== true || clients.authorities.length > 0, {
    path: ['clients', 'authorities'],
    error: 'where a certificate is required, say whose count',
  });
export type Tls = z.infer<typeof Tls>;
