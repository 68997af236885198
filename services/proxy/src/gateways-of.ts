/** Which other gateways may ask this one, as the configuration names them. */
import { type LoadedConfig, requireSecret, within } from '@postern/runtime';
import type { GatewaysConfig } from './authorize/trust.ts';

/** Rejects with `runtime/bad-config` where the token's file cannot be read. */
export const gatewaysOf = async ({ config, folder }: LoadedConfig): Promise<GatewaysConfig> => {
  const { trusted, tokenFile, extAuthz } = config.gateways;
  return {
    trusted,
    ...(tokenFile !== undefined && { token: await requireSecret(within(folder, tokenFile)) }),
    ...(extAuthz !== undefined && { extAuthz }),
  };
};
