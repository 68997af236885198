/**
 * Certificates as credentials: one of a configured authority names a caller, if the authority's entry says so. It is judged anew
 * when authorities change, also for connections that were made before.
 */
import { X509Certificate } from 'node:crypto';
import type { Clock, TlsMaterial } from '@postern/runtime';
import type { ClientAuthority, TlsClients } from '@postern/schemas';
import { namedBy } from './certificate-names.ts';
import { type Identity, toCaller } from './identity.ts';
import type { Presented } from './presented.ts';

export type ClientCertificates = {
  readonly identify: (presented: Presented) => Identity;
  /** Who counts where a token or key comes too. */
  readonly withCredential: () => TlsClients['withCredential'];
  /** Undefined: nobody's certificates name anybody. */
  readonly configure: (clients: TlsMaterial['clients']) => void;
  /** Of the authorities as they are now. */
  readonly generation: () => number;
};

type Authority = { readonly rules: ClientAuthority; readonly fingerprints: ReadonlySet<string> };

export const clientCertificates = (clock: Clock, clients?: TlsMaterial['clients']): ClientCertificates => {
  let authorities: readonly Authority[] = [];
  let withCredential: TlsClients['withCredential'] = 'refuse';
  let lists = '';
  let generation = 0;
  /** The first generation that has today's revocation lists: what was checked against others counts no more. */
  let listsSince = 0;
  let judged = new WeakMap<Presented, Identity>();

  const configure = (next: TlsMaterial['clients']): void => {
    generation++;
    judged = new WeakMap();
    withCredential = next?.withCredential ?? 'refuse';
    authorities = (next?.authorities ?? []).map((rules) => ({
      rules,
      fingerprints: new Set(rules.caPem.map((pem) => new X509Certificate(pem).fingerprint256)),
    }));
    const nextLists = authorities.map((_, at) => (next?.authorities[at]?.crlPem ?? []).join('\n')).join('\n');
    if (nextLists !== lists) listsSince = generation;
    lists = nextLists;
  };
  configure(clients);

  const judge = (presented: Presented): Identity => {
    const refuse = (why: string): Identity => ({ kind: 'bad', why, challenge: { authenticate: 'Bearer' } });
    const { chain, distrusted } = presented;
    if (authorities.length === 0) return { kind: 'none' };
    if (distrusted !== undefined) return refuse(`the certificate is not trusted (${distrusted})`);
    if (presented.generation < listsSince)
      return refuse('the certificate was checked against an older revocation list; connect anew');
    // Its own authority's entry, the nearest one up the chain: what another says of names does not concern it.
    const authority = chain
      .map(({ fingerprint256 }) => authorities.find(({ fingerprints }) => fingerprints.has(fingerprint256)))
      .find((each) => each !== undefined);
    if (authority === undefined) return refuse('the authority of the certificate is trusted no more');
    const named = namedBy(chain[0], authority.rules);
    if ('why' in named) return refuse(`of the certificate: ${named.why}`);
    const expiresAtMs = Math.min(...chain.map(({ validToDate }) => validToDate.getTime()));
    return toCaller({
      principal: named.principal,
      actors: [],
      expiresAtMs,
      // What it says holds from when it was made; a session that is ended later ends it for good.
      issuedAtMs: chain[0].validFromDate.getTime(),
      vouchedFor: () => {
        const now = identify(presented);
        return now.kind === 'caller' && now.principal === named.principal;
      },
    });
  };
  const identify = (presented: Presented): Identity => {
    let identity = judged.get(presented);
    if (identity === undefined) {
      identity = judge(presented);
      judged.set(presented, identity);
    }
    if (identity.kind === 'caller' && clock.now() >= (identity.expiresAtMs ?? 0))
      return { kind: 'bad', why: 'the certificate has run out', challenge: { authenticate: 'Bearer' } };
    return identity;
  };

  return { identify, withCredential: () => withCredential, configure, generation: () => generation };
};
