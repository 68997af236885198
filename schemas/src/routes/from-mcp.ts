/**
 * An MCP server's tools and methods as endpoints, all at one path: `service/tool.NAME` for `tools/call`, `service/rpc.METHOD` for
 * the other methods of the protocol, and what its transport does besides.
 */
import type { AccessClass } from '../facts/role.ts';
import { encodeId } from '../ids.ts';
import { Endpoint, type Operation } from './endpoint.ts';

export type Tool = { readonly name: string; readonly access?: AccessClass };

/** What clients may send (MCP 2025-11-25, and the revisions before); a method that is not here is refused. */
const methods: Readonly<Record<string, AccessClass>> = {
  initialize: 'read',
  ping: 'read',
  'tools/list': 'read',
  'resources/list': 'read',
  'resources/read': 'read',
  'resources/templates/list': 'read',
  'resources/subscribe': 'read',
  'resources/unsubscribe': 'read',
  'prompts/list': 'read',
  'prompts/get': 'read',
  'completion/complete': 'read',
  'logging/setLevel': 'write',
  'tasks/get': 'read',
  'tasks/list': 'read',
  'tasks/result': 'read',
  'tasks/cancel': 'write',
  'notifications/initialized': 'read',
  'notifications/cancelled': 'read',
  'notifications/progress': 'read',
  'notifications/roots/list_changed': 'read',
  'notifications/tasks/status': 'read',
};

/** A tool writes unless it says otherwise. */
export const endpointsFromMcp = (service: string, path: string, tools: readonly Tool[]): Endpoint[] => {
  const endpoint = (name: string, method: 'GET' | 'POST' | 'DELETE', access: AccessClass, operation: Operation) =>
    Endpoint.parse({ id: `${service}/${encodeId(name)}`, method, template: path, access, operation });
  return [
    ...tools.map(({ name, access = 'write' }) => endpoint(`tool.${name}`, 'POST', access, { kind: 'mcp', tool: name })),
    ...Object.entries(methods).map(([method, access]) =>
      endpoint(`rpc.${method}`, 'POST', access, { kind: 'mcp-method', method }),
    ),
    // Part of using the server at all: the stream of its messages, answers to its own requests, the end of one's own session.
    endpoint('mcp.listen', 'GET', 'read', { kind: 'mcp-transport', act: 'listen' }),
    endpoint('mcp.answer', 'POST', 'read', { kind: 'mcp-transport', act: 'answer' }),
    endpoint('mcp.close', 'DELETE', 'read', { kind: 'mcp-transport', act: 'close' }),
  ];
};
