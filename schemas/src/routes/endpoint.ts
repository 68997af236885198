/** An endpoint: one method and path template of a service, the thing a caller may or may not call. */
import { z } from 'zod';
import { AccessClass } from '../facts/role.ts';
import { EndpointId } from '../ids.ts';

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

export const Endpoint = z.strictObject({
  id: EndpointId,
  method: Method,
  template: PathTemplate,
  access: AccessClass,
  /** Anybody may call it, without a credential. Never the default; recorded as such. */
  public: z.boolean().optional(),
  /** May switch protocols to WebSocket. */
  websocket: z.boolean().optional(),
});
export type Endpoint = z.infer<typeof Endpoint>;

/** A service as routed: all its endpoints, below one mount. */
export type Service = { readonly name: string; readonly mount: string; readonly endpoints: readonly Endpoint[] };
