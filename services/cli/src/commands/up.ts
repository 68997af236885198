/** up: the product in one process; the demo is the same with a sample API, identity provider and organisation beside it. */
import { dataFolder, type LoadedConfig, requireSecret } from '@postern/runtime';
import { demoAddresses, demoConfig, demoServices } from '../demo/demo.ts';
import { seedOrganisation } from '../demo/organisation.ts';
import { print, tell } from '../output.ts';
import { up } from '../up.ts';

export const upCommand = async (loaded: LoadedConfig, data: string | undefined): Promise<void> => {
  const chosen = data === undefined ? loaded : { ...loaded, config: { ...loaded.config, data } };
  await up({
    loaded: chosen,
    reloads: true,
    onReady: async ({ gate, adminKey }) => {
      print(`ready   ${gate}`);
      print(
        adminKey === undefined
          ? `admin   the key is in ${dataFolder(chosen)}/admin.key`
          : `admin   ${adminKey}   (shown this once; kept in ${dataFolder(chosen)}/admin.key)`,
      );
    },
  });
};

export const demoCommand = async ({
  data = './.postern',
  basePort,
}: {
  readonly data?: string;
  readonly basePort?: number;
}): Promise<void> => {
  const addresses = demoAddresses(basePort);
  const loaded = demoConfig(addresses, data);
  await up({
    loaded,
    reloads: false,
    beside: demoServices(addresses),
    onReady: async ({ gate, adminKey }) => {
      // At every start: an earlier one may have ended before this, and what was sent before answers as it did.
      try {
        await seedOrganisation(gate, adminKey ?? (await requireSecret(`${data}/admin.key`)));
      } catch (error) {
        tell(`note: the sample organisation was not sent: ${error instanceof Error ? error.message : error}`);
      }
      print(
        [
          `ready   ${gate}   (health: http://${addresses.health}/readyz)`,
          `API     ${gate}/payroll/employees   (a sample payroll API, behind the gate)`,
          `tokens  curl -s http://${addresses.identityProvider}/token/alice   (a sample identity provider)`,
          adminKey === undefined
            ? `admin   the key is in ${data}/admin.key`
            : `admin   ${adminKey}   (shown this once; kept in ${data}/admin.key)`,
          'next    the story in README.md, line by line; Ctrl-C stops, the state stays',
        ].join('\n'),
      );
    },
  });
};
