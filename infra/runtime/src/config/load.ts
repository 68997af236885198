/** `postern.yaml` and the files it names, read whole: either everything is usable, or every mistake is told at once. */
import { dirname, isAbsolute, resolve } from 'node:path';
import { PosternYaml, Problem } from '@postern/schemas';
import { type FileMistake, mistakeText, readYamlFile } from './yaml-file.ts';

export type LoadedConfig = {
  readonly config: PosternYaml;
  /** Where relative paths in it begin. */
  readonly folder: string;
  readonly file: string;
  readonly lineOf: (path: readonly PropertyKey[]) => number;
};

/** Throws `runtime/bad-config` with a line for each mistake. */
export const loadConfig = (file: string, environment: NodeJS.ProcessEnv): LoadedConfig => {
  const read = readYamlFile(file, PosternYaml, environment);
  if (read.outcome === 'unreadable')
    throw new Problem('runtime/bad-config', {
      detail: `${file}: ${read.why}`,
      fix: 'Name another with --config, or write one with postern init.',
    });
  if (read.outcome === 'mistaken') throw badConfig(read.mistakes);
  const folder = dirname(resolve(file));
  return { config: placed(read.value, folder), folder, file, lineOf: read.lineOf };
};

/** Paths inside URLs begin where the file lies, as all other paths in it do, and not where the command happens to be run. */
const placed = (config: PosternYaml, folder: string): PosternYaml => {
  const atFolder = (url: string): string =>
    url.replace(/^file:(?!\/)(.+)$/, (_, path: string) => `file:${within(folder, path)}`);
  const secretAtFolder = (url: string): string =>
    url.replace(
      /([?&](?:tokenFile|saslFile)=)([^&]+)/,
      (_, name: string, path: string) => `${name}${within(folder, path)}`,
    );
  const { eventLog, relationships, auditStore, profiles } = config;
  return {
    ...config,
    issuers: config.issuers.map((issuer) => ({
      ...issuer,
      ...(issuer.jwks !== undefined && { jwks: atFolder(issuer.jwks) }),
      ...(issuer.introspection !== undefined && {
        introspection: {
          ...issuer.introspection,
          clientSecretFile: within(folder, issuer.introspection.clientSecretFile),
        },
      }),
      ...(issuer.signIn?.clientSecretFile !== undefined && {
        signIn: { ...issuer.signIn, clientSecretFile: within(folder, issuer.signIn.clientSecretFile) },
      }),
    })),
    ...(eventLog !== undefined && { eventLog: secretAtFolder(atFolder(eventLog)) }),
    ...(relationships !== undefined && { relationships: secretAtFolder(relationships) }),
    ...(auditStore !== undefined && { auditStore: atFolder(auditStore) }),
    ...(profiles !== undefined && { profiles: atFolder(profiles) }),
  };
};

export const badConfig = (mistakes: readonly FileMistake[]): Problem =>
  new Problem('runtime/bad-config', {
    detail: `\n${mistakes.map((mistake) => `  ${mistakeText(mistake)}`).join('\n')}`,
    members: { mistakes },
  });

/** A path as written in the configuration, made absolute. */
export const within = (folder: string, path: string): string => (isAbsolute(path) ? path : resolve(folder, path));

/** The data folder, absolute. */
export const dataFolder = ({ config, folder }: LoadedConfig): string => within(folder, config.data);
/** Where the facts are: the URL of the configuration, or the data folder. */
export const eventLogUrl = (loaded: LoadedConfig): string => loaded.config.eventLog ?? `file:${dataFolder(loaded)}`;
export const relationshipsUrl = ({ config }: LoadedConfig): string => config.relationships ?? 'embedded:';
export const auditStoreUrl = (loaded: LoadedConfig): string => loaded.config.auditStore ?? `file:${dataFolder(loaded)}`;
/** Where SCIM's profiles are. A PostgreSQL that holds the record holds them as well. */
export const profilesUrl = (loaded: LoadedConfig): string => {
  const { profiles, auditStore } = loaded.config;
  return profiles ?? (auditStore?.startsWith('postgres') === true ? auditStore : `file:${dataFolder(loaded)}`);
};
