/** The room's judgement over an engine that somebody else has filled: for trials of models that are not live. */
import type { Reached, Relationships } from '@postern/relationships';
import type { DecisionPoint, Organisation } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { type Asked, type Explanation, explain } from './explain.ts';
import { decisionPoint } from './pdp/decide.ts';

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
