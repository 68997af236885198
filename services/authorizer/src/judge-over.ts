/** The room's judgement over an engine that somebody else has filled: for trials of models that are not live. */
import type { Reached, Relationships } from '@postern/relationships';
import { CredentialId, type DecisionPoint, type Organisation, PrincipalId, Problem } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { matchPath } from './authzen/to-check.ts';
import { type Asked, type Explanation, explain, type Way, waysToEndpoint } from './explain.ts';
import { decisionPoint } from './pdp/decide.ts';
import { type CanAnswer, can } from './questions.ts';
import { linksOf, parseEndpoint, type What, type Who, what, who } from './search.ts';

export type JudgeDeps = {
  readonly engine: Pick<Relationships, 'checkAt'>;
  /** What the engine has been filled from. */
  readonly organisation: Organisation;
  readonly reached: () => Reached;
};

export const judgeOver = ({
  engine,
  organisation,
  reached,
}: JudgeDeps): DecisionPoint & { readonly explain: (asked: Asked) => Explanation } => ({
  decide: decisionPoint(
    {
      engine,
      projection: { reached, until: async () => reached(), beyond: async () => undefined, asked: (work) => work() },
      telemetry: noTelemetry,
    },
    { waitMs: 0 },
  ).decide,
  explain: (asked) => explain(organisation, asked),
});

export type QuestionsOver = {
  /** `query` as of `GET can`; `nowMs` is the time of day where it says none. */
  readonly can: (query: unknown, nowMs: number) => Promise<CanAnswer>;
  readonly who: (endpoint: string) => Promise<Who>;
  readonly what: (subject: string) => Promise<What>;
  /** Every way from one subject to an endpoint, with the grant behind each; of a key, its own and its owner's. */
  readonly ways: (subject: string, endpoint: string) => readonly Way[];
};

/** The room's questions of people, over the same. All of them throw or reject with `authorizer/bad-question`. */
export const questionsOver = (deps: JudgeDeps & { readonly engine: Relationships }): QuestionsOver => {
  const { engine, organisation, reached } = deps;
  const { decide } = judgeOver(deps);
  const search = { engine, projection: { reached, organisation: () => organisation, notReady: () => [] } };
  return {
    can: (query, nowMs) =>
      can({ ...search, decide, match: matchPath, clock: { now: () => nowMs }, log: { warn: () => {} } }, query),
    who: (endpoint) => who(search, parseEndpoint(endpoint)),
    what: (subject) => what(search, parseSubject(subject)),
    ways: (subject, endpoint) =>
      linksOf(organisation, parseSubject(subject)).flatMap((link) =>
        waysToEndpoint(organisation, link, parseEndpoint(endpoint)),
      ),
  };
};

const parseSubject = (text: string): PrincipalId | CredentialId => {
  const principal = PrincipalId.safeParse(text);
  if (principal.success) return principal.data;
  const credential = CredentialId.safeParse(text);
  if (credential.success) return credential.data;
  throw new Problem('authorizer/bad-question', {
    detail: `"${text}" is no subject`,
    fix: 'Write user:NAME, workload:NAME or credential:ID.',
  });
};
