/** Assertions, asked of the real engine: everything a scenario asks in one go, then told what did not hold, and why. */
import type { Context, CredentialId, RoleName } from '@postern/schemas';
import type { ZedSchema } from '@postern/schemas/zed';
import { type FoldedModel, foldModel, type Model, type ModellingDeps } from '../folded-model.ts';
import type { Finding } from '../report/finding.ts';
import { askAll } from './ask.ts';
import type { Asked, Asking, Subject } from './asked.ts';
import { callsOf } from './calls.ts';
import type { Scenario } from './file.ts';
import type { Placed } from './reading.ts';
import { expectation } from './reasons.ts';
import type { Assertion } from './sentences.ts';
import { isProbe, roleProbe, setStage } from './stage.ts';
import { type Touched, touch, touchGiven } from './touched.ts';

export type AssertionResult = {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly scenario: string | undefined;
  /** Absent where it holds. */
  readonly failure?: Finding;
};
export type RunResult = {
  readonly results: readonly AssertionResult[];
  readonly findings: readonly Finding[];
  readonly touched: Touched;
};

export type RunInput = { readonly model: Model; readonly schema: ZedSchema; readonly scenarios: readonly Scenario[] };

export const runAssertions = async (
  deps: ModellingDeps,
  { model, schema, scenarios }: RunInput,
): Promise<RunResult> => {
  const results: AssertionResult[] = [];
  const findings: Finding[] = [];
  const touched = {
    roles: new Set<string>(),
    endpoints: new Set<string>(),
    permissions: new Set<string>(),
    relations: new Set<string>(),
  };
  for (const scenario of scenarios) {
    await using folded = await foldModel(deps, model, { at: scenario.at });
    // What is given in every scenario is refused once.
    for (const finding of setStage(folded, scenario.given, scenario.at, schema))
      if (!findings.some(({ file, line }) => file === finding.file && line === finding.line)) findings.push(finding);
    touchGiven(scenario.given, touched);
    results.push(...(await runScenario(folded, model, scenario, touched)));
  }
  return { results, findings: [...findings, ...results.flatMap(({ failure }) => failure ?? [])], touched };
};

type Collected = { [Key in keyof Touched]: Set<string> };

const runScenario = async (folded: FoldedModel, model: Model, scenario: Scenario, touched: Collected) => {
  const calls = callsOf(folded.organisation);
  const plans = scenario.assert.map((placed) => ({ placed, plan: planOf(folded, model, placed, scenario, calls) }));
  const ones = plans.flatMap(({ plan }) => ('ones' in plan ? plan.ones : []));
  const asked = new Map<Asking, Asked>((await askAll(folded, ones)).map((each, n) => [ones[n] as Asking, each]));
  return plans.map(({ placed, plan }): AssertionResult => {
    const { text, file, line } = placed;
    const held: AssertionResult = { text, file, line, scenario: scenario.name };
    const failed = (what: string, fix?: string): AssertionResult => ({
      ...held,
      failure: {
        rule: 'assertion/failed',
        level: 'error',
        file,
        line,
        what: `"${text}" does not hold: ${what}`,
        ...(fix !== undefined && { fix }),
      },
    });
    if (!('ones' in plan)) return failed(plan.what, plan.fix);
    const own = plan.ones.flatMap((one) => asked.get(one) ?? []);
    touch(folded, placed.sentence, own, touched);
    const failure = expectation(folded, placed.sentence, own);
    return failure === undefined ? held : failed(failure.what, failure.fix);
  });
};

type Plan = { readonly ones: readonly Asking[] } | { readonly what: string; readonly fix: string };

const planOf = (
  folded: FoldedModel,
  model: Model,
  { sentence }: Placed<Assertion>,
  scenario: Scenario,
  calls: ReturnType<typeof callsOf>,
): Plan => {
  const { organisation } = folded;
  const called = calls(sentence.call);
  // What no endpoint takes is refused to everybody: that "nobody can" or "cannot" holds, but a misspelt path must not pass for it.
  if (!('endpoints' in called)) return called;
  const { now = scenario.at, ...circumstances } = sentence.circumstances;
  const context: Context = { now: wholeSeconds(now), ...circumstances };
  const resolve = (caller: string): Subject[] => {
    if (caller.startsWith('role:')) return [roleProbe(folded, caller.slice('role:'.length) as RoleName)];
    const owner = organisation.credentials.get(caller as CredentialId)?.owner;
    return owner === undefined ? [caller as Subject] : [caller as Subject, owner];
  };
  const missing = unknownRole(organisation.roles, sentence);
  if (missing !== undefined)
    return { what: `there is no role ${missing}`, fix: `roles: ${[...model.roles.keys()].join(', ')}` };
  const { scopes } = sentence;
  const asking = (subjects: readonly Subject[]): Asking => ({
    subjects,
    context,
    called,
    ...(scopes !== undefined && { scopes }),
  });
  switch (sentence.kind) {
    case 'can':
      return { ones: [asking(sentence.callers.flatMap(resolve))] };
    case 'anybody':
      return { ones: [asking([])] };
    case 'nobody-but': {
      const everybody = [...organisation.principals.values()]
        .filter(({ id, state }) => state === 'active' && !isProbe(id))
        .map(({ id }): string => id);
      const roles = [...model.roles.keys()].map((role) => `role:${role}`);
      const all = [...everybody, ...organisation.credentials.keys(), ...roles];
      return { ones: all.map((caller) => asking(resolve(caller))) };
    }
  }
};

/** As the gate spells it: UTC, whole seconds. */
const wholeSeconds = (instant: string): string => {
  const at = new Date(instant);
  at.setUTCMilliseconds(0);
  return at.toISOString();
};

const unknownRole = (roles: ReadonlyMap<RoleName, unknown>, sentence: Assertion): string | undefined => {
  const named: readonly string[] =
    sentence.kind === 'can' ? sentence.callers : sentence.kind === 'nobody-but' ? sentence.except : [];
  return named
    .flatMap((each) => (each.startsWith('role:') ? [each.slice('role:'.length)] : []))
    .find((role) => !roles.has(role as RoleName));
};
