/** The GraphQL documents of every service that may be called by their hash: what a proxy needs beside the routes in the log. */
import { readPersisted } from './graphql-files.ts';
import { badConfig, type LoadedConfig, within } from './load.ts';

/** Throws `runtime/bad-config` with a line for each mistake. */
export const persistedDocuments = ({
  config,
  folder,
}: LoadedConfig): ReadonlyMap<string, ReadonlyMap<string, string>> => {
  const found = new Map<string, ReadonlyMap<string, string>>();
  const mistakes = [];
  for (const [name, { graphql }] of Object.entries(config.services)) {
    if (graphql?.persisted === undefined) continue;
    const read = readPersisted(within(folder, graphql.persisted));
    mistakes.push(...read.mistakes);
    found.set(name, read.documents);
  }
  if (mistakes.length > 0) throw badConfig(mistakes);
  return found;
};
