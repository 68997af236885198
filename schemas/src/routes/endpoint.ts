/** An endpoint: one method and path template of a service, or one operation behind it: the thing a caller may or may not call. */
import { z } from 'zod';
import { AccessClass } from '../facts/role.ts';
import { EndpointId, SchemaName } from '../ids.ts';

/** Methods an endpoint may declare. HEAD is judged as GET; CONNECT and TRACE pass nowhere. */
export const Method = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']);
export type Method = z.infer<typeof Method>;

/**
 * A path template below its service's mount: literal segments and `{name}` placeholders. A placeholder may stand beside literal
 * text in its segment (`{name}.json`, `{base}...{head}`); `{name+}` as the last segment takes the rest of the path.
 */
export const PathTemplate = z
  .string()
  .regex(
    /^\/(?:[^/{}?#\\]|\{[A-Za-z_][\w.-]*\+?\})*(?:\/(?:[^/{}?#\\]|\{[A-Za-z_][\w.-]*\+?\})+)*\/?$/,
    'not a path template',
  );

/**
 * An object rule: besides the endpoint, the caller must hold `permission` on `type:<value of the path parameter>`, for instance
 * `{ type: employee, parameter: id, permission: view }` on `GET /employees/{id}`. A GraphQL field and an MCP tool name the object in
 * an argument, or in a member of one: `{ type: employee, argument: input.id, permission: view }`.
 */
export const ObjectRule = z.union(
  [
    z.strictObject({ type: SchemaName, parameter: z.string().min(1), permission: SchemaName }),
    z.strictObject({
      type: SchemaName,
      argument: z.string().regex(/^[^.]+(\.[^.]+)*$/, 'write the name of an argument, or input.id for a member of it'),
      permission: SchemaName,
    }),
  ],
  { error: 'write { type, parameter, permission }, or { type, argument, permission } for an operation' },
);
export type ObjectRule = z.infer<typeof ObjectRule>;

/**
 * One operation among many that share a method and path, told apart by the request's body: a top-level field of a GraphQL
 * operation, a tool or a method of an MCP server. (A gRPC method has a path of its own and needs none of this.)
 */
export const Operation = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('graphql'),
    type: z.enum(['query', 'mutation', 'subscription']),
    field: z.string().min(1),
  }),
  z.strictObject({ kind: z.literal('mcp'), tool: z.string().min(1) }),
  /** A JSON-RPC method of an MCP server other than `tools/call`. */
  z.strictObject({ kind: z.literal('mcp-method'), method: z.string().min(1) }),
  /** What MCP's transport does besides: open the stream, answer the server's own requests, end the session. */
  z.strictObject({ kind: z.literal('mcp-transport'), act: z.enum(['listen', 'answer', 'close']) }),
]);
export type Operation = z.infer<typeof Operation>;

export const Endpoint = z.strictObject({
  id: EndpointId,
  method: Method,
  template: PathTemplate,
  access: AccessClass,
  /** Anybody may call it, without a credential. Never the default; recorded as such. */
  public: z.boolean().optional(),
  /** May switch protocols to WebSocket. */
  websocket: z.boolean().optional(),
  /** All of them must hold too. */
  objects: z.array(ObjectRule).min(1).optional(),
  /** OAuth scopes that a delegated token must carry, all of them; a token without a scope claim is not delegated. */
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/))
    .min(1)
    .optional(),
  /** Hides many operations and declares none: a class of access never reaches it, only a role that names it. */
  opaque: z.boolean().optional(),
  operation: Operation.optional(),
});
export type Endpoint = z.infer<typeof Endpoint>;

/** A service as routed: all its endpoints, below one mount. */
export type Service = { readonly name: string; readonly mount: string; readonly endpoints: readonly Endpoint[] };
