/** What every process of every world is configured with: the demo's API and roles, the test's own identity provider. */
import { join } from 'node:path';
import { root } from './embedded.ts';
import { audience } from './issuer.ts';

const files = join(root, 'services/cli/demo');

export type ModelOptions = {
  readonly upstream: string;
  readonly issuer: string;
  readonly otlp: string;
  /** Beside the demo's. */
  readonly services?: Readonly<Record<string, object>>;
};

export const commonConfig = ({ upstream, issuer, otlp, services = {} }: ModelOptions) => ({
  issuers: [{ issuer, audience: [audience], algorithms: ['ES256'] }],
  services: {
    payroll: { upstream, mount: '/payroll', openapi: join(files, 'payroll.openapi.yaml') },
    ...services,
  },
  model: { roles: join(files, 'roles.yaml') },
  telemetry: { otlp },
});
