/**
 * Who may ask about other people's requests: whoever describes a request also says whose address it comes from, and is handed our word
 * for the API. So only configured addresses may, and where a token is configured only those who know it: a gateway that also passes
 * requests on to this gate has the right address for everybody behind it.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Clock, Logger } from '@postern/runtime';
import { addressBlocks, unmapped } from '../gate/address.ts';

export type GatewaysConfig = {
  /** CIDR blocks of the gateways that may ask; nobody by default. */
  readonly trusted: readonly string[];
  /** What each of them then has to send as `Postern-Gateway`. */
  readonly token?: string;
  /** HOST:PORT for Envoy's ext_authz over gRPC. */
  readonly extAuthz?: string;
};

export const gatewayHeader = 'postern-gateway';

/** Says so in the log, this often at most, in ms. */
const complainedEveryMs = 10_000;

export type MayAsk = (peer: string | undefined, token: string | undefined) => boolean;

export const trust = (
  { trusted, token }: Pick<GatewaysConfig, 'trusted' | 'token'>,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): MayAsk => {
  const isGateway = addressBlocks(trusted);
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
  const expected = token === undefined ? undefined : digest(token);
  let complainedAt: number | undefined;
  return (peer, sent) => {
    const address = peer !== undefined && isGateway(unmapped(peer));
    const known = expected === undefined || (sent !== undefined && timingSafeEqual(digest(sent), expected));
    if (address && known) return true;
    if (complainedAt === undefined || clock.elapsed() - complainedAt >= complainedEveryMs) {
      complainedAt = clock.elapsed();
      log.warn(
        {
          peer,
          why: address ? 'its Postern-Gateway header is not the token' : 'its address is not in gateways.trusted',
        },
        'somebody who is no configured gateway asked for a decision',
      );
    }
    return false;
  };
};
