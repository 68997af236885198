/** What every process of every world is configured with: the demo's API and roles, the test's own identity provider. */
import { join } from 'node:path';
import { root } from './embedded.ts';
import { audience } from './issuer.ts';
import { signalAudience, type Transmitter } from './transmitter.ts';

const files = join(root, 'services/cli/demo');

export type ModelOptions = {
  readonly upstream: string;
  readonly issuer: string;
  readonly otlp: string;
  readonly transmitter: Pick<Transmitter, 'issuer' | 'pollUrl'>;
  /** Beside the demo's. */
  readonly services?: Readonly<Record<string, object>>;
};

export const commonConfig = ({ upstream, issuer, otlp, transmitter, services = {} }: ModelOptions) => ({
  issuers: [{ issuer, audience: [audience], algorithms: ['ES256'] }],
  services: {
    payroll: { upstream, mount: '/payroll', openapi: join(files, 'payroll.openapi.yaml') },
    ...services,
  },
  model: { roles: join(files, 'roles.yaml') },
  feedRules: join(root, 'e2e/world/feeds.yaml'),
  signals: [
    {
      name: 'idp',
      issuer: transmitter.issuer,
      audience: [signalAudience],
      poll: { endpoint: transmitter.pollUrl, pauseMs: 200, longPoll: false },
      stream: { id: 'stream-1' },
      subjects: { issuers: [issuer], accounts: join(root, 'e2e/world/accounts.yaml') },
    },
  ],
  telemetry: { otlp },
});
