/** The model files that a configuration names, read whole: schema, routes, roles. Every mistake at once. */
import {
  posternMount,
  posternRoles,
  posternService,
  type RoleName,
  type RoleRules,
  RolesYaml,
  type Service,
  spelledEndpoints,
} from '@postern/schemas';
import { z } from 'zod';
import { badConfig, type LoadedConfig, within } from './load.ts';
import { endpointPlaces, type ModelPlaces } from './places.ts';
import { readRoutes } from './routes.ts';
import { readSchemaFiles } from './schema-files.ts';
import { type FileMistake, readYamlFile } from './yaml-file.ts';

export type LoadedModel = {
  readonly schema: string;
  readonly services: readonly Service[];
  readonly roles: ReadonlyMap<RoleName, RoleRules>;
  /** What was read more narrowly than it was written; nothing that has to stop a start. */
  readonly notes: readonly FileMistake[];
  readonly places: ModelPlaces;
};

/** Throws `runtime/bad-config` with a line for each mistake in any of the files. */
export const loadModel = (loaded: LoadedConfig): LoadedModel => {
  const { mistakes, ...model } = readModel(loaded);
  if (mistakes.length > 0) throw badConfig(mistakes);
  return model;
};

/** What can be read of the model, and every mistake in any of its files. Does not throw. */
export const readModel = ({
  config,
  folder,
  file,
  lineOf,
}: LoadedConfig): LoadedModel & { readonly mistakes: readonly FileMistake[] } => {
  const mistakes: FileMistake[] = [];
  const notes: FileMistake[] = [];
  const at = (path: readonly PropertyKey[], what: string, fix?: string): void => {
    mistakes.push({ file, line: lineOf(path), what, ...(fix !== undefined && { fix }) });
  };

  const services: Service[] = [];
  const mounts = new Map<string, string>([[posternMount, posternService]]);
  for (const [name, service] of Object.entries(config.services)) {
    const { mount, observeUntil } = service;
    if (observeUntil !== undefined)
      notes.push({
        file,
        line: lineOf(['services', name, 'mode']),
        what: `the service ${name} is only observed until ${observeUntil}: it refuses nobody for want of a grant`,
        fix: 'remove mode and observeUntil once postern suggest has nothing left to propose',
      });
    if (name === posternService)
      at(['services', name], `"${posternService}" is Postern's own service`, 'choose another name');
    const other = [...mounts].find(
      ([taken]) => taken === mount || taken.startsWith(`${mount}/`) || mount.startsWith(`${taken}/`),
    );
    if (other)
      at(
        ['services', name, 'mount'],
        `${mount} lies in or around ${other[0]}, the mount of ${other[1]}`,
        'give each service a mount of its own',
      );
    mounts.set(mount, name);
    const read = readRoutes({
      name,
      config: service,
      folder,
      at: (path, what, fix) => ({
        file,
        line: lineOf(['services', name, ...path]),
        what,
        ...(fix !== undefined && { fix }),
      }),
    });
    mistakes.push(...read.mistakes);
    notes.push(...read.notes);
    services.push({ name, mount, endpoints: read.endpoints });
  }

  const roles = new Map<RoleName, RoleRules>();
  let rolePlace: ModelPlaces['role'] = () => ({ file, line: lineOf(['model', 'roles']) });
  if (config.model.roles !== undefined) {
    const rolesFile = within(folder, config.model.roles);
    const read = readYamlFile(rolesFile, z.preprocess(spelledEndpoints, RolesYaml));
    if (read.outcome === 'unreadable') at(['model', 'roles'], `${config.model.roles}: ${read.why}`);
    else if (read.outcome === 'mistaken') mistakes.push(...read.mistakes);
    else {
      rolePlace = (...path) => ({ file: rolesFile, line: read.lineOf(path) });
      for (const [role, rules] of Object.entries(read.value) as [RoleName, RoleRules][]) {
        roles.set(role, rules);
        if (role in posternRoles)
          mistakes.push({
            file: rolesFile,
            line: read.lineOf([role]),
            what: `${role} is one of Postern's own roles`,
            fix: 'choose another name',
          });
        for (const what of unknownAllowances(rules, services))
          mistakes.push({
            file: rolesFile,
            line: read.lineOf([role, 'allows']),
            what: `${role} allows ${what}`,
            fix: 'check the spelling, or the services in postern.yaml',
          });
        for (const other of rules.separateFrom ?? [])
          if (!(other in read.value))
            mistakes.push({
              file: rolesFile,
              line: read.lineOf([role, 'separateFrom']),
              what: `${role} is kept separate from ${other}, which is no role here`,
            });
      }
    }
  }

  const named = config.model.schema ?? [];
  const schema = readSchemaFiles((typeof named === 'string' ? [named] : named).map((path) => within(folder, path)));
  for (const { why } of schema.unread) at(['model', 'schema'], `the schema cannot be read: ${why}`);
  mistakes.push(...schema.mistakes);

  const routed = services.filter(({ endpoints }) => endpoints.length > 0);
  const inConfig = (...path: readonly PropertyKey[]) => ({ file, line: lineOf(path) });
  const places: ModelPlaces = {
    schema: schema.placeOf,
    role: rolePlace,
    endpoint: endpointPlaces(
      routed,
      (service) => {
        const { openapi, routes } = config.services[service as keyof typeof config.services] ?? {};
        const document = openapi ?? routes;
        return document === undefined ? undefined : within(folder, document);
      },
      (service) => inConfig('services', service),
    ),
    config: inConfig,
  };
  return { schema: schema.text, services: routed, roles, notes, places, mistakes };
};

const unknownAllowances = ({ allows }: RoleRules, services: readonly Service[]): string[] =>
  allows.flatMap((allowance) => {
    if ('service' in allowance)
      return allowance.service === posternService || services.some(({ name }) => name === allowance.service)
        ? []
        : [`the service ${allowance.service}, which is not configured`];
    if ('object' in allowance) return [];
    const known =
      allowance.endpoint.startsWith(`${posternService}/`) ||
      services.some(({ endpoints }) => endpoints.some(({ id }) => id === allowance.endpoint));
    return known ? [] : [`the endpoint ${allowance.endpoint}, which no document declares`];
  });
