/** The demo: what `npm start` brings up when there is no postern.yaml. A real configuration, real files, and two services beside it. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadedConfig, Logger, Service } from '@postern/runtime';
import { PosternYaml } from '@postern/schemas';
import { demoAudience, sampleIdentityProvider } from './identity-provider.ts';
import { sampleApi } from './sample-api.ts';

const files = join(dirname(fileURLToPath(import.meta.url)), '../../demo');

export type DemoAddresses = {
  readonly gate: string;
  readonly health: string;
  readonly api: string;
  readonly identityProvider: string;
};

/** The usual addresses; with a base port, four in a row from there. */
export const demoAddresses = (basePort?: number): DemoAddresses =>
  basePort === undefined
    ? { gate: '127.0.0.1:8080', health: '127.0.0.1:8081', api: '127.0.0.1:9001', identityProvider: '127.0.0.1:9002' }
    : {
        gate: `127.0.0.1:${basePort}`,
        health: `127.0.0.1:${basePort + 1}`,
        api: `127.0.0.1:${basePort + 2}`,
        identityProvider: `127.0.0.1:${basePort + 3}`,
      };

export const demoConfig = ({ gate, health, api, identityProvider }: DemoAddresses, data: string): LoadedConfig => ({
  config: PosternYaml.parse({
    listen: gate,
    health,
    data: resolve(data),
    issuers: [{ issuer: `http://${identityProvider}`, audience: [demoAudience], algorithms: ['ES256'] }],
    services: { payroll: { upstream: `http://${api}`, mount: '/payroll', openapi: 'payroll.openapi.yaml' } },
    model: { roles: 'roles.yaml' },
    log: { level: 'warn' },
  }),
  folder: files,
  file: join(files, 'roles.yaml'),
  lineOf: () => 1,
});

export const demoServices =
  ({ gate, api, identityProvider }: DemoAddresses) =>
  async (log: Logger): Promise<readonly Service[]> => {
    const payroll = sampleApi(api, `http://${gate}`, log);
    const idp = await sampleIdentityProvider(identityProvider, log);
    return [
      { name: 'sample API', start: payroll.listen, notReady: () => [], stop: () => payroll.app.close() },
      { name: 'sample identity provider', start: idp.listen, notReady: () => [], stop: () => idp.app.close() },
    ];
  };
