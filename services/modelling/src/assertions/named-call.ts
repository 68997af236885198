/** What an assertion says is called: `GET /path`, or behind `call` what a body would say, or an endpoint by its id. */
import { type EndpointId, endpointIdOf, type Operation } from '@postern/schemas';
import { begins } from './circumstances.ts';
import { listOf } from './reading.ts';

export type NamedCall =
  | { readonly kind: 'path'; readonly method: string; readonly path: string }
  /** Of one request; `at` is its path, which may be left out where one service alone has them. */
  | { readonly kind: 'operations'; readonly operations: readonly Operation[]; readonly at?: string }
  /** `package.Service/Method` */
  | { readonly kind: 'grpc'; readonly method: string; readonly at?: string }
  | { readonly kind: 'endpoint'; readonly endpoint: EndpointId };

export const callForms = [
  'call query|mutation|subscription FIELD[, FIELD …] [at PATH]',
  'call tool NAME [at PATH]',
  'call method NAME [at PATH]',
  'call rpc PACKAGE.SERVICE/METHOD [at MOUNT]',
  'call SERVICE/OPERATION',
];

type Refused = { readonly what: string; readonly fix: string };
type Named = { readonly call: NamedCall; readonly rest: readonly string[] };

export const readCall = (words: readonly string[]): Named | Refused => {
  const [first = '', second = ''] = words;
  if (first !== 'call') {
    if (!/^[A-Za-z]+$/.test(first) || !second.startsWith('/'))
      return { what: `"${words.join(' ')}" is no call`, fix: `write METHOD PATH; or ${callForms.join('; or ')}` };
    if (first !== first.toUpperCase()) return { what: `"${first}" is no method`, fix: `write ${first.toUpperCase()}` };
    return { call: { kind: 'path', method: first, path: second }, rest: words.slice(2) };
  }
  return readBehindCall(words.slice(1));
};

const readBehindCall = (words: readonly string[]): Named | Refused => {
  const [kind = ''] = words;
  const refused = (what: string): Refused => ({ what, fix: `write ${callForms.join('; or ')}` });
  if (!/^(query|mutation|subscription|tool|method|rpc)$/.test(kind)) {
    const endpoint = endpointIdOf(kind);
    return endpoint === undefined
      ? refused(`"call ${words.join(' ')}" names nothing that can be called`)
      : { call: { kind: 'endpoint', endpoint }, rest: words.slice(1) };
  }
  // The first name is one whatever it says; a field may be called "at".
  let end = 2;
  while (end < words.length && !begins(words[end])) end++;
  const names = listOf(words.slice(1, end));
  const [name, ...others] = names;
  if (name === undefined) return refused(`"call ${kind}" names nothing`);
  const path = words[end] === 'at' && words[end + 1]?.startsWith('/') === true ? words[end + 1] : undefined;
  const at = path === undefined ? {} : { at: path };
  const rest = words.slice(path === undefined ? end : end + 2);
  if (kind === 'query' || kind === 'mutation' || kind === 'subscription') {
    const operations = names.map((field): Operation => ({ kind: 'graphql', type: kind, field }));
    return { call: { kind: 'operations', operations, ...at }, rest };
  }
  if (others.length > 0) return refused(`one request calls one ${kind}`);
  if (kind === 'rpc') return { call: { kind: 'grpc', method: name.replace(/^\//, ''), ...at }, rest };
  const operation: Operation = kind === 'tool' ? { kind: 'mcp', tool: name } : { kind: 'mcp-method', method: name };
  return { call: { kind: 'operations', operations: [operation], ...at }, rest };
};

/** As a person would say it. */
export const operationText = (operation: Operation): string => {
  switch (operation.kind) {
    case 'graphql':
      return `${operation.type} ${operation.field}`;
    case 'mcp':
      return `tool ${operation.tool}`;
    case 'mcp-method':
      return `method ${operation.method}`;
    case 'mcp-transport':
      return operation.act;
  }
};
