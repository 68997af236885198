/** The files of an installation, or those that a pipeline sends, become facts where they differ from what is live: in one append, or not at all. */
import type { Logger } from '@postern/runtime';
import {
  type Actor,
  gateTypes,
  isProblem,
  type Organisation,
  Problem,
  type Provenance,
  posternApi,
  posternRoles,
  posternService,
  type Relationship,
  RoleName,
  type RoleRules,
  type Service,
  systemActor,
  unknownRelation,
} from '@postern/schemas';
import type { Commands, Done, Order } from './commands.ts';
import { publishedReason } from './decide/from-files.ts';
import { schemaOf } from './decide/objects.ts';
import { type CheckSchema, gateShapes, oneOfEachShape } from './schema-check.ts';
import type { GrantsState } from './state.ts';

export type Model = {
  readonly schema: string;
  readonly services: readonly Service[];
  readonly roles: ReadonlyMap<RoleName, RoleRules>;
};

export type Publication = {
  readonly done: Done;
  /** Roles that were published from files before and that no file names now: retired where that was asked for, else still live. */
  readonly left: readonly RoleName[];
};

export type PublishDeps = {
  readonly commands: Commands;
  readonly state: GrantsState;
  readonly checkSchema: CheckSchema;
};
export type PublishOptions = Pick<Order, 'actor' | 'inbound'> & {
  readonly retireRoles?: boolean | undefined;
  readonly provenance?: Provenance | undefined;
};

const ownRoles: ReadonlyMap<RoleName, RoleRules> = new Map(
  Object.entries(posternRoles).map(([role, rules]) => [RoleName.parse(role), rules]),
);

/** Postern's own service and roles come with every model. Rejects with the refusal's problem, and then nothing was written. */
export const publish = async (
  { commands, state, checkSchema }: PublishDeps,
  { schema, services, roles }: Model,
  { retireRoles = false, provenance, actor, inbound }: PublishOptions,
): Promise<Publication> => {
  const { organisation } = state;
  // A schema that the engine does not take would hold the projection back for ever, so it must never become a fact.
  if (organisation.schema !== schema)
    await checkSchema(schema, [...gateShapes, ...oneOfEachShape(inEngine(organisation))]);
  const left = [...state.rolesFromFiles].filter((role) => !roles.has(role) && !ownRoles.has(role));
  try {
    const done = await commands({
      command: {
        kind: 'publish-model',
        schema,
        services: [posternApi(), ...services.filter(({ name }) => name !== posternService)],
        roles: new Map([...roles, ...ownRoles]),
        retire: retireRoles ? left : [],
        reason: publishedReason(provenance?.commit),
        provenance,
      },
      ...(actor && { actor }),
      inbound,
    });
    return { done, left };
  } catch (error) {
    if (!isProblem(error, 'grants/fact-too-large')) throw error;
    throw new Problem('grants/fact-too-large', {
      ...(error.detail !== undefined && { detail: error.detail }),
      fix: 'A publication is one append. Publish some of the new services or roles first and the rest behind them; what is live already is not written again.',
    });
  }
};

/** Without what the authorizer set aside because the live schema does not know it: that asks nothing of the next schema. */
function* inEngine(organisation: Organisation): Generator<Relationship> {
  const schema = schemaOf(organisation);
  for (const relationship of organisation.relationships()) {
    const setAside =
      (relationship.resource.startsWith('object_permission:') ||
        !gateTypes.has(relationship.resource.split(':', 1)[0] ?? '')) &&
      schema !== undefined &&
      unknownRelation(schema, relationship) !== undefined;
    if (!setAside) yield relationship;
  }
}

/** At the start and on a reload. Where a pipeline publishes, the files here only fill an empty log, and else Postern's own part alone is brought up to date. */
export const publishInstallation = async (
  deps: PublishDeps,
  configured: Model,
  { byCommand, log }: { readonly byCommand: boolean; readonly log: Logger },
): Promise<void> => {
  const { organisation } = deps.state;
  const live = organisation.schema;
  const model: Model =
    byCommand && live !== undefined
      ? { schema: live, services: [...organisation.services.values()], roles: new Map() }
      : configured;
  const kept = new Set(model.services.map(({ name }) => name));
  for (const { name } of organisation.services.values())
    if (!kept.has(name) && name !== posternService)
      log.warn({ service: name }, 'the service is no longer configured: its endpoints are withdrawn');
  const actor: Actor = systemActor('publish');
  const { left } = await publish(deps, model, { actor });
  if (left.length > 0 && !byCommand)
    log.info({ roles: left }, 'live roles that no file defines any more; they stay until they are retired');
};
