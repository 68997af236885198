/** `tools/list`, as far as the caller may call what it lists: asked anew for every answer, because a stream may outlive a grant. */
import type { Context, Endpoint } from '@postern/schemas';
import type { Decider } from '../decide/decider.ts';
import type { RewriteMessage } from '../forward/rewrite.ts';
import { type Caller, lacksScopes } from '../identify/identity.ts';
import type { Observing } from './observing.ts';
import type { Passage } from './passage.ts';
import type { Routes } from './routes.ts';
import { isObject } from './strict-json.ts';

export type VisibleToolsDeps = {
  readonly routes: Routes;
  readonly decide: Decider;
  readonly observing: Pick<Observing, 'passes'>;
  readonly contextOf: (ip: string | undefined, caller?: Caller) => Context;
};

export const visibleTools =
  ({ routes, decide, observing, contextOf }: VisibleToolsDeps, { caller, read, match }: Passage): RewriteMessage =>
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
        else if (caller === undefined) resolve(false);
        else
          decide(caller, endpoint.id, context, ({ answer }) => {
            if (answer.outcome === 'unavailable' || match === undefined) return resolve(false);
            const refusedFor = [
              ...(answer.outcome === 'deny' ? [answer.reason] : []),
              ...(lacksScopes(caller, endpoint) ? (['scope-missing'] as const) : []),
            ];
            resolve(refusedFor.length === 0 || observing.passes(match.service.name, caller, refusedFor) !== undefined);
          });
      });
    const seen = await Promise.all(
      tools.map(async (tool) => {
        const endpoint = isObject(tool) ? declared.get(tool['name']) : undefined;
        return endpoint !== undefined && (await may(endpoint));
      }),
    );
    return { ...message, result: { ...result, tools: tools.filter((_each, at) => seen[at]) } };
  };
