/**
 * Which tool or method a request to an MCP server calls (streamable HTTP, JSON-RPC 2.0). One message a request: the batches of
 * revision 2025-03-26 are refused.
 */
import type { Operation } from '@postern/schemas';
import { type Values, valuesAt } from './argument-values.ts';
import { folded, isObject, parseAsWritten, parseStrictJson } from './strict-json.ts';

export type McpCall =
  | {
      readonly outcome: 'read';
      readonly operation: Operation;
      /** The values of an argument of the tool, or of a member of it. */
      readonly argument?: (path: string) => Values;
    }
  | { readonly outcome: 'refused'; readonly why: string };

const refused = (why: string): McpCall => ({ outcome: 'refused', why });
const read = (operation: Operation): McpCall => ({ outcome: 'read', operation });

const inRequest: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);
const inAnswer: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'result', 'error']);

export const readMcpCall = (request: {
  readonly method: string;
  readonly body: Uint8Array;
  /** The value of a header that may come once; servers may route by `Mcp-Method` and `Mcp-Name`, so these have to agree with the body. */
  readonly header: (name: string) => string | undefined;
}): McpCall => {
  if (request.method === 'DELETE') return read({ kind: 'mcp-transport', act: 'close' });
  if (request.method !== 'POST') return read({ kind: 'mcp-transport', act: 'listen' });
  const json = parseStrictJson(request.body);
  if ('why' in json) return refused(`the body cannot be read: ${json.why}`);
  const { value } = json;
  if (Array.isArray(value)) return refused('several JSON-RPC messages in one request are not passed');
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return refused('the body is no JSON-RPC 2.0 message');
  const { id, method, params } = value;
  const answers = !('method' in value);
  const stranger = Object.keys(value).find((name) => !(answers ? inAnswer : inRequest).has(name));
  if (stranger !== undefined) return refused(`a JSON-RPC message of this kind has no member "${stranger}"`);
  if ('id' in value && typeof id !== 'string' && typeof id !== 'number')
    return refused('the id of a JSON-RPC message has to be text or a number');
  if (answers)
    return 'id' in value && 'result' in value !== 'error' in value
      ? read({ kind: 'mcp-transport', act: 'answer' })
      : refused('the body is no JSON-RPC 2.0 message');
  if (typeof method !== 'string' || method === '') return refused('the method has to be a name');
  if (params !== undefined && !isObject(params)) return refused('params has to be an object');
  const name = params?.['name'];
  for (const [header, said] of [
    ['mcp-method', method],
    ['mcp-name', typeof name === 'string' ? name : params?.['uri']],
  ] as const) {
    const claimed = request.header(header);
    if (claimed !== undefined && claimed !== said)
      return refused(`the header ${header} says something else than the body`);
  }
  if (method !== 'tools/call') return read({ kind: 'mcp-method', method });
  if (typeof name !== 'string' || name === '') return refused('tools/call has to name a tool');
  if (Object.keys(params ?? {}).some((each) => each !== 'name' && folded(each) === 'name'))
    return refused('the tool is named in two ways');
  if (Object.keys(params ?? {}).some((each) => each !== 'arguments' && folded(each) === 'arguments'))
    return refused('the arguments are named in two ways');
  return {
    outcome: 'read',
    operation: { kind: 'mcp', tool: name },
    argument: (path) => {
      const message = parseAsWritten(Buffer.from(request.body).toString()) as { params: { arguments?: unknown } };
      return valuesAt(message.params.arguments, path.split('.'), path);
    },
  };
};
