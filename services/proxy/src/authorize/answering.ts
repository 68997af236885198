/** Both ways in which another gateway asks, put together. Without a configured gateway there is neither. */
import type { Clock, Logger } from '@postern/runtime';
import { addressReader } from '../gate/address.ts';
import type { Ladder } from '../gate/ladder.ts';
import { type Asking, asking } from './ask.ts';
import { type ExtAuthzServer, extAuthzServer } from './ext-authz.ts';
import { type GatewaysConfig, trust } from './trust.ts';

export type AnsweringDeps = {
  readonly ladder: Ladder;
  readonly gateways: GatewaysConfig | undefined;
  readonly trustedProxies: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
};
export type Answering = {
  readonly http: Asking | undefined;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** The port of ext_authz over gRPC, once it listens. */
  readonly extAuthzPort: () => number | undefined;
};

export const answering = ({ ladder, gateways, trustedProxies, clock, log }: AnsweringDeps): Answering => {
  let port: number | undefined;
  if (gateways === undefined || gateways.trusted.length === 0)
    return { http: undefined, start: async () => {}, stop: async () => {}, extAuthzPort: () => port };
  const mayAsk = trust(gateways, { clock, log });
  const { extAuthz } = gateways;
  const grpc: ExtAuthzServer | undefined =
    extAuthz === undefined
      ? undefined
      : extAuthzServer({ ladder, mayAsk, sourceAddressOf: addressReader(trustedProxies) });
  return {
    http: asking({ ladder, mayAsk, addressOf: addressReader([...gateways.trusted, ...trustedProxies]) }),
    start: async () => {
      if (extAuthz !== undefined) port = await grpc?.listen(extAuthz);
    },
    stop: async () => grpc?.stop(),
    extAuthzPort: () => port,
  };
};
