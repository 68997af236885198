/**
 * `*.routes.yaml`: endpoints by hand. One entry a route, its method and template (or the name of an operation) as the key:
 *
 *   - GET /employees/{id}
 *   - POST /employees: { id: addEmployee, access: admin }
 *   - query.salary: { access: admin }
 */
import { z } from 'zod';
import { Endpoint } from '../routes/endpoint.ts';

/** What an entry may say; what it leaves out stays as another description of the same route has it. */
export const RouteOptions = z.strictObject({
  /** The operation's name: the endpoint is SERVICE/ID. */
  id: z.string().min(1).max(200).optional(),
  access: Endpoint.shape.access.optional(),
  public: Endpoint.shape.public,
  websocket: Endpoint.shape.websocket,
  objects: Endpoint.shape.objects,
  scopes: Endpoint.shape.scopes,
  opaque: Endpoint.shape.opaque,
});
export type RouteOptions = z.infer<typeof RouteOptions>;

const Entry = z
  .record(z.string(), RouteOptions.nullable())
  .refine(
    (entry) => Object.keys(entry).length === 1,
    'each entry holds one route: METHOD /path, or METHOD /path: { … }',
  );

export const RoutesYaml = z.array(
  z.preprocess((entry) => (typeof entry === 'string' ? { [entry]: null } : entry), Entry),
  { error: 'write a list, each entry METHOD /path or METHOD /path: { … }' },
);
export type RoutesYaml = z.infer<typeof RoutesYaml>;

/** The same as it is written, for editors. */
export const RoutesYamlForm = z.array(z.union([z.string(), z.record(z.string(), RouteOptions.nullable())]));
