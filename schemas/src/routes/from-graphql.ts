/** The root fields of a GraphQL schema as endpoints: `service/query.field` reads, `service/mutation.field` writes, `service/subscription.field` reads. */
import { encodeId } from '../ids.ts';
import { Endpoint } from './endpoint.ts';

export type RootField = { readonly type: 'query' | 'mutation' | 'subscription'; readonly field: string };

/** What every GraphQL API answers besides its own fields: an endpoint each, because it tells what there is. */
const introspection: readonly RootField[] = [
  { type: 'query', field: '__schema' },
  { type: 'query', field: '__type' },
];

/** The schema's root fields in, all endpoints at the path out; `__typename` is one for each root type that is there. */
export const endpointsFromGraphQl = (service: string, path: string, fields: readonly RootField[]): Endpoint[] => {
  const typenames = (['query', 'mutation', 'subscription'] as const)
    .filter((type) => fields.some((each) => each.type === type))
    .map((type): RootField => ({ type, field: '__typename' }));
  return [...fields, ...introspection, ...typenames].map(({ type, field }) =>
    Endpoint.parse({
      id: `${service}/${encodeId(`${type}.${field}`)}`,
      method: 'POST',
      template: path,
      access: type === 'mutation' && field !== '__typename' ? 'write' : 'read',
      operation: { kind: 'graphql', type, field },
    }),
  );
};
