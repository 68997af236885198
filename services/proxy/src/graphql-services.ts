/** How the GraphQL operations of each service of a configuration are read. */
import type { ServiceConfig } from '@postern/schemas';
import type { GraphQlServices } from './gate/inspect.ts';

/** `persisted`: the documents that may be called by their hash, by service. */
export const graphQlServices = (
  services: Readonly<Record<string, ServiceConfig>>,
  persisted: ReadonlyMap<string, ReadonlyMap<string, string>>,
): GraphQlServices =>
  Object.fromEntries(
    Object.entries(services).flatMap(([name, { graphql }]) =>
      graphql === undefined
        ? []
        : [[name, { graphql: { depthMax: graphql.depthMax, persisted: persisted.get(name) ?? new Map() } }]],
    ),
  );
