/** Endpoints that look as if many operations hide behind them, and declare none. */
import type { Endpoint } from './endpoint.ts';

const suspicious: ReadonlySet<string> = new Set(['graphql', 'gql', 'batch', '$batch', 'rpc', 'jsonrpc', 'mcp']);

export const looksHiding = ({ template, operation, opaque }: Endpoint): boolean =>
  operation === undefined &&
  opaque === undefined &&
  template.split('/').some((segment) => suspicious.has(segment.toLowerCase()));
