/** `tools/list`, as far as the caller may call what it lists: asked anew for every answer, because a stream may outlive a grant. */
import type { Context, Endpoint } from '@postern/schemas';
import type { Decider } from '../decide/decider.ts';
import type { RewriteMessage } from '../forward/rewrite.ts';
import { type Caller, lacksScopes } from '../identify/identity.ts';
import type { Passage } from './passage.ts';
import type { Routes } from './routes.ts';
import { isObject } from './strict-json.ts';

export type VisibleToolsDeps = {
  readonly routes: Routes;
  readonly decide: Decider;
  readonly contextOf: (ip: string | undefined, caller?: Caller) => Context;
};

export const visibleTools =
  ({ routes, decide, contextOf }: VisibleToolsDeps, { caller, read }: Passage): RewriteMessage =>
  async (message) => {
    const result = isObject(message) ? message['result'] : undefined;
    if (!isObject(message) || !isObject(result) || !Array.isArray(result['tools'])) return message;
    const tools: readonly unknown[] = result['tools'];
    const declared = new Map<unknown, Endpoint>(
      (routes.match('POST', read)?.operations ?? []).flatMap((endpoint) =>
        endpoint.operation?.kind === 'mcp' ? [[endpoint.operation.tool, endpoint] as const] : [],
      ),
    );
    const context = contextOf(read.ip, caller);
    const may = (endpoint: Endpoint): Promise<boolean> =>
      new Promise((resolve) => {
        if (endpoint.public === true) resolve(true);
        else if (caller === undefined || lacksScopes(caller, endpoint)) resolve(false);
        else decide(caller, endpoint.id, context, ({ answer }) => resolve(answer.outcome === 'allow'));
      });
    const seen = await Promise.all(
      tools.map(async (tool) => {
        const endpoint = isObject(tool) ? declared.get(tool['name']) : undefined;
        return endpoint !== undefined && (await may(endpoint));
      }),
    );
    return { ...message, result: { ...result, tools: tools.filter((_each, at) => seen[at]) } };
  };
