/** `postern check`: everything there is to say about the files of a model, at once. */
import { type LoadedConfig, readModel, within } from '@postern/runtime';
import { isProblem } from '@postern/schemas';
import { parseZed, type ZedSchema } from '@postern/schemas/zed';
import { readAssertions } from './assertions/file.ts';
import { type AssertionResult, runAssertions } from './assertions/run.ts';
import { type Against, type Compared, compareAgainst, type Recorded } from './compare/against.ts';
import { type Coverage, coverageOf, unusedRoles } from './coverage/coverage.ts';
import type { Model, ModellingDeps } from './folded-model.ts';
import { engineMistake } from './lint/engine-mistakes.ts';
import { lintModel } from './lint/lint-model.ts';
import { lintSchema } from './lint/lint-schema.ts';
import { type Finding, inOrder } from './report/finding.ts';

export type CheckInput = {
  readonly loaded: LoadedConfig;
  /** RFC 3339: when assertions that say nothing else are asked. */
  readonly now: string;
  readonly against?: Against;
  /** Percent of roles, routes and relations that assertions have to touch. */
  readonly coverageMin?: number;
  /** Questions that a comparison may ask of each model; the report says what was left out. */
  readonly questionsMax?: number;
  /** Every gain is meant: whoever asks has seen them. */
  readonly acceptGains?: boolean;
  /** Calls under the facts of `against`. */
  readonly recorded?: Recorded;
};

export type CheckReport = {
  readonly config: string;
  readonly findings: readonly Finding[];
  readonly counts: {
    readonly services: number;
    readonly endpoints: number;
    readonly roles: number;
    readonly definitions: number;
  };
  readonly assertions: readonly AssertionResult[];
  readonly coverage?: Coverage;
  readonly comparison?: NonNullable<Compared['comparison']>;
  /** What was read of the recorded calls. */
  readonly use?: NonNullable<Compared['use']>;
  /** Why assertions or the comparison were not run, where they were asked for. */
  readonly skipped?: string;
};

export const checkModel = async (deps: ModellingDeps, input: CheckInput): Promise<CheckReport> => {
  const { loaded, now } = input;
  const { mistakes, notes, places, ...model } = readModel(loaded);
  const schema = parseZed(model.schema);
  const findings: Finding[] = [
    ...mistakes.map((each): Finding => ({ rule: 'config/mistake', level: 'error', ...each })),
    ...notes.map((each): Finding => ({ rule: 'config/note', level: 'note', ...each })),
    ...lintSchema(schema, places.schema),
  ];
  findings.push(...(await refusedSchema(deps, model, schema, findings, places.schema)));
  if (mistakes.length === 0) findings.push(...lintModel({ model, places, schema }));

  const named = loaded.config.model.assertions;
  const file = named === undefined ? undefined : within(loaded.folder, named);
  const assertions =
    file === undefined
      ? { scenarios: [], gains: [], mistakes: [] }
      : readAssertions(file, now, places.config('model', 'assertions'));
  findings.push(...assertions.mistakes);
  const counts = {
    services: model.services.length,
    endpoints: model.services.reduce((sum, { endpoints }) => sum + endpoints.length, 0),
    roles: model.roles.size,
    definitions: schema.definitions.length,
  };
  const report = { config: loaded.file, counts, assertions: [] };
  const broken = findings.some(({ level }) => level === 'error');
  if (broken && (file !== undefined || input.against !== undefined))
    return {
      ...report,
      findings: inOrder(findings),
      skipped: 'the model has to be without errors before it can be asked',
    };

  let tried: Pick<CheckReport, 'assertions' | 'coverage' | 'comparison' | 'use'> = { assertions: [] };
  try {
    if (file !== undefined) {
      const run = await runAssertions(deps, { model, schema, scenarios: assertions.scenarios });
      const coverage = coverageOf(model, schema, run.touched, places.schema);
      findings.push(
        ...run.findings,
        ...unusedRoles(model, coverage, places),
        ...tooLow(coverage, input.coverageMin, file),
      );
      tried = { assertions: run.results, coverage };
    } else if (input.coverageMin !== undefined && input.coverageMin > 0)
      findings.push({
        rule: 'coverage/low',
        level: 'error',
        ...places.config('model'),
        what: `there are no assertions, and ${input.coverageMin} % coverage is asked for`,
        fix: 'name them: model: { assertions: ./assertions.yaml }',
      });
    if (input.against !== undefined) {
      const [scenario] = assertions.scenarios;
      const compared = await compareAgainst(deps, {
        model,
        places,
        against: input.against,
        given: scenario?.given ?? [],
        at: scenario?.at ?? now,
        ...(input.questionsMax !== undefined && { questionsMax: input.questionsMax }),
        accepted: input.acceptGains === true ? 'all' : assertions.gains,
        ...(input.recorded && { recorded: input.recorded }),
      });
      const { findings: changes, ...told } = compared;
      findings.push(...changes);
      tried = { ...tried, ...told };
    }
  } catch (error) {
    if (!isProblem(error)) throw error;
    findings.push({ rule: 'config/mistake', level: 'error', ...places.config('model'), what: error.message });
  }
  return { ...report, ...tried, findings: inOrder(findings) };
};

/** What the engine's own compiler says, unless the lint has said as much of that line. */
const refusedSchema = async (
  { openEngine }: ModellingDeps,
  { schema: text }: Model,
  schema: ZedSchema,
  told: readonly Finding[],
  placeOf: (line: number) => { readonly file: string; readonly line: number },
): Promise<Finding[]> => {
  await using engine = await openEngine();
  try {
    await engine.writeSchema(text);
    return [];
  } catch (error) {
    if (!isProblem(error, 'authorizer/schema-refused')) throw error;
    const finding = engineMistake(error.detail ?? error.message, schema, placeOf);
    return isSaid(finding, told) ? [] : [finding];
  }
};

/** The compiler stops at its first complaint; where the lint has said as much, it says nothing new. */
const isSaid = ({ what, file, line }: Finding, told: readonly Finding[]): boolean => {
  const errors = told.filter(({ level }) => level === 'error');
  const isTold = (rule: Finding['rule']) => errors.some((each) => each.rule === rule);
  if (errors.some((each) => each.rule.startsWith('schema/') && each.file === file && each.line === line)) return true;
  if (/not found/.test(what)) return isTold('schema/unknown-name') || isTold('schema/gate-definition');
  // Which of several complaints comes first changes from run to run, and a type that does not exist brings annotations down with it.
  if (/type annotation/.test(what) && isTold('schema/unknown-name')) return true;
  if (/duplicate|reused/.test(what))
    return isTold('schema/twice') || errors.some((each) => /is defined already/.test(each.what));
  return /Token|Expected|Unexpected/.test(what) && isTold('schema/syntax');
};

const tooLow = ({ percent, roles, routes, relations }: Coverage, min: number | undefined, file: string): Finding[] =>
  min === undefined || percent >= min
    ? []
    : [
        {
          rule: 'coverage/low',
          level: 'error',
          file,
          line: 1,
          what: `assertions touch ${percent} % of roles, routes and relations, and ${min} % are asked for`,
          fix: `assert something about ${[...roles.untouched, ...relations.untouched, ...routes.untouched].slice(0, 5).join(', ')}`,
        },
      ];
