/** The authorizer: keeps the engine at what the log says, and answers whether. */
import type { FactLog } from '@postern/event-log';
import type { Relationships } from '@postern/relationships';
import {
  type AssertionKeys,
  type Clock,
  httpApp,
  type Logger,
  type Room,
  requireAssertion,
  showTextsIn,
} from '@postern/runtime';
import type { DecisionPoint, SealedTexts } from '@postern/schemas';
import type { Telemetry } from '@postern/telemetry';
import { authzenRoutes } from './authzen/routes.ts';
import { type MatchPath, matchPath } from './authzen/to-check.ts';
import { digestRoute } from './digest.ts';
import { decisionPoint } from './pdp/decide.ts';
import { decideRoute } from './pdp/http.ts';
import { decidePath } from './pdp/wire.ts';
import { projection } from './projection.ts';
import { questionRoutes } from './questions.ts';

export { judgeOver, type QuestionsOver, questionsOver } from './judge-over.ts';

export type AuthorizerDeps = {
  readonly facts: Pick<FactLog, 'head' | 'follow'>;
  readonly engine: Relationships;
  /** The keys of the gate's assertions, which guard everything but `/pdp/decide`. */
  readonly keys: AssertionKeys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  /** The texts of facts, as long as they are kept: explanations say why something was granted. */
  readonly texts?: SealedTexts;
  /** The endpoint that a request would be judged by; the schemas' matcher where none is given. */
  readonly match?: MatchPath;
};

export type AuthorizerConfig = {
  /** Shared with the proxies in other processes; without it `/pdp/decide` is open to whoever reaches the listener. */
  readonly pdpToken?: string;
  /** How long a question may wait for the projection to reach its `atLeast`, in ms. */
  readonly waitMs?: number;
};

/** The room, and its decision point for a proxy in the same process. The deps stay the caller's to dispose. */
export const authorizerService = (
  { facts, engine, keys, clock, log, telemetry, texts, match = matchPath }: AuthorizerDeps,
  { pdpToken, waitMs = 1_000 }: AuthorizerConfig = {},
): Room & DecisionPoint => {
  const projected = projection({ facts, engine, clock, log, telemetry });
  const point = decisionPoint({ engine, projection: projected, telemetry }, { waitMs });
  const http = httpApp({ log, telemetry });
  requireAssertion(http, 'postern', keys, [decidePath]);
  decideRoute(http, point, pdpToken);
  authzenRoutes(http, { engine, projection: projected, now: clock.now });
  digestRoute(http, { engine, projection: projected });
  // The decision point answers nothing that anybody wrote, and is asked far more often.
  void http.register(async (routes) => {
    showTextsIn(routes, texts);
    questionRoutes(routes, { engine, projection: projected, decide: point.decide, match, clock, log });
  });
  return {
    name: 'authorizer',
    decide: point.decide,
    http,
    start: async () => projected.start(),
    notReady: projected.notReady,
    stop: async () => {
      await http.close();
      await projected.stop();
    },
  };
};
