/** At the start, the files of this installation become facts where they differ from what is live; nothing is retired by leaving it out. */
import type { Logger } from '@postern/runtime';
import {
  type Endpoint,
  posternApi,
  posternRoles,
  RoleName,
  type RoleRules,
  type Service,
  systemActor,
} from '@postern/schemas';
import type { Commands } from './commands.ts';
import type { GrantsState } from './state.ts';

export type Model = {
  readonly schema: string;
  readonly services: readonly Service[];
  readonly roles: ReadonlyMap<RoleName, RoleRules>;
};

/** Postern's own service and roles come with every model. Schema before routes before roles: each may name what the one before defines. */
export const publishModel = async (
  configured: Model,
  commands: Commands,
  state: GrantsState,
  log: Logger,
): Promise<void> => {
  const model = {
    ...configured,
    services: [posternApi(), ...configured.services],
    roles: new Map([
      ...Object.entries(posternRoles).map(([role, rules]) => [RoleName.parse(role), rules] as const),
      ...configured.roles,
    ]),
  };
  const actor = systemActor('publish');
  await commands({ command: { kind: 'publish-schema', text: model.schema }, actor });
  for (const service of model.services) await commands({ command: { kind: 'publish-routes', service }, actor });
  const published = new Set(model.services.map(({ name }) => name));
  for (const live of [...state.organisation.services.values()])
    if (!published.has(live.name)) {
      log.warn({ service: live.name }, 'the service is no longer configured: its endpoints are withdrawn');
      await commands({ command: { kind: 'publish-routes', service: { ...live, endpoints: [] as Endpoint[] } }, actor });
    }
  for (const [role, rules] of model.roles)
    await commands({ command: { kind: 'define-role', role, rules, reason: 'published from roles.yaml' }, actor });
  const left = [...state.organisation.roles.keys()].filter((role) => !model.roles.has(role));
  if (left.length > 0) log.info({ roles: left }, 'live roles that no file defines; they stay until they are retired');
};
