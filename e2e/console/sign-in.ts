/** A product whose people sign in at an OpenID provider, and what a browser does to get in. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { root } from '../world/embedded.ts';
import { audience } from '../world/issuer.ts';
import { clientId, type OpenIdProvider, resource, startOpenIdProvider } from '../world/openid-provider.ts';
import { freeAddresses, posternProcess } from '../world/processes.ts';

export type SignInWorld = AsyncDisposable & {
  readonly gate: string;
  readonly key: string;
  readonly provider: OpenIdProvider;
  readonly output: () => string;
};

export const signInWorld = async (accessTokenSeconds?: number): Promise<SignInWorld> => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-sign-in-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [listen = '', health = '', nowhere = ''] = await freeAddresses(3);
  const gate = `http://${listen}`;
  const provider = stack.use(
    await startOpenIdProvider({
      redirectUris: [`${gate}/.postern/console/signed-in`],
      ...(accessTokenSeconds !== undefined && { accessTokenSeconds }),
    }),
  );
  const postern = stack.use(
    await posternProcess({
      folder,
      args: ['up'],
      config: { listen, health, data: './data', ...model(nowhere, provider) },
    }),
  );
  await postern.start();
  const key = (await readFile(join(folder, 'data/admin.key'), 'utf8')).trim();
  const owned = stack.move();
  return { gate, key, provider, output: postern.output, [Symbol.asyncDispose]: () => owned.disposeAsync() };
};

const model = (upstream: string, provider: OpenIdProvider) => ({
  issuers: [issuerOf(provider.url)],
  services: {
    payroll: {
      upstream: `http://${upstream}`,
      mount: '/payroll',
      openapi: join(root, 'services/cli/demo/payroll.openapi.yaml'),
    },
  },
  model: { roles: join(root, 'services/cli/demo/roles.yaml') },
  log: { level: 'warn' },
});

export const issuerOf = (issuer: string) => ({
  issuer,
  audience: [audience],
  algorithms: ['ES256'],
  signIn: {
    clientId,
    resource,
    label: 'the test’s provider',
    scopes: ['openid', 'offline_access'],
    // Without it this provider gives nothing to renew a session with.
    parameters: { prompt: 'consent' },
  },
});

/** From the console's button through the provider's pages, and back. */
export const signInAs = async (page: Page, name: string): Promise<void> => {
  await page.getByRole('button', { name: 'Sign in with the test’s provider' }).click();
  const login = page.locator('input[name="login"]');
  const consent = page.getByRole('button', { name: 'Continue' });
  await login.or(consent).first().waitFor();
  if (await login.isVisible()) {
    await login.fill(name);
    await page.locator('input[name="password"]').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
  }
  await consent.click();
};
