/** Routes that nobody can call, that hide many operations, or that ask for what is not there. */
import type { ModelPlaces } from '@postern/runtime';
import type { ZedSchema } from '@postern/schemas/zed';
import type { Model } from '../folded-model.ts';
import { opens, type Say } from './opens.ts';

/** Paths under which one endpoint takes any operation in its body. */
const manyBehindOne = /(^|\/)(graphql|gql|rpc|jsonrpc|json-rpc|mcp|batch|\$batch|query|execute|invoke|soap)\/?$/i;

export const lintRoutes = (
  { services, roles }: Model,
  places: ModelPlaces,
  { definitions }: ZedSchema,
  say: Say,
): void => {
  const allowances = [...roles.values()].flatMap(({ allows }) => allows);
  for (const { name: service, endpoints } of services) {
    const closed = endpoints.filter(
      (endpoint) => endpoint.public !== true && !allowances.some((each) => opens(each, service, endpoint)),
    );
    if (closed.length === endpoints.length && endpoints.length > 0)
      say(
        'route/uncallable',
        'warning',
        places.config('services', service),
        `no role opens any of the ${endpoints.length} endpoints of ${service}`,
        `give a role { service: ${service}, access: read }`,
      );
    else
      for (const { id, access, opaque } of closed)
        say(
          'route/uncallable',
          'warning',
          places.endpoint(id),
          `no role opens ${id} (${opaque ? 'opaque' : access})`,
          `give a role { endpoint: ${id} }`,
        );
    for (const endpoint of endpoints) {
      const { id, method, template } = endpoint;
      if (endpoint.opaque === true)
        say(
          'route/opaque',
          'warning',
          places.endpoint(id),
          `${id} hides many operations and declares none: whoever may call it may do all of them`,
          'declare its operations',
        );
      else if (endpoint.operation === undefined && method === 'POST' && manyBehindOne.test(template))
        say(
          'route/opaque',
          'warning',
          places.endpoint(id),
          `${id} (POST ${template}) looks like one endpoint for many operations: whoever may call it may do all of them`,
          'declare its operations, or mark it opaque, so that only a role that names it opens it',
        );
      if (endpoint.public === true && endpoint.access !== 'read')
        say(
          'route/public',
          'warning',
          places.endpoint(id),
          `${id} changes something, and anybody may call it without a credential`,
          'remove public',
        );
      for (const rule of endpoint.objects ?? []) {
        const definition = definitions.find(({ name }) => name === rule.type);
        if (definition === undefined)
          say(
            'route/object',
            'error',
            places.endpoint(id),
            `${id} asks for ${rule.type}#${rule.permission}, and the schema has no ${rule.type}`,
            `define it, or name one of ${definitions.map(({ name }) => name).join(', ')}`,
          );
        else if (!definition.permissions.some(({ name }) => name === rule.permission))
          say(
            'route/object',
            'error',
            places.endpoint(id),
            `${id} asks for ${rule.type}#${rule.permission}, which is no permission of ${rule.type}`,
            `it has ${definition.permissions.map(({ name }) => name).join(', ') || 'none'}`,
          );
      }
    }
  }
};
