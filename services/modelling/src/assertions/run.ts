/** Assertions, asked of the real engine: everything a scenario asks in one go, then told what did not hold, and why. */
import type { Answer, Context, CredentialId, PrincipalId, RoleName, SubjectId } from '@postern/schemas';
import type { ZedSchema } from '@postern/schemas/zed';
import { type FoldedModel, foldModel, type Model, type ModellingDeps } from '../folded-model.ts';
import type { Finding } from '../report/finding.ts';
import type { Asked, Asking, Subject } from './asked.ts';
import { callsOf } from './calls.ts';
import type { Placed, Scenario } from './file.ts';
import { expectation } from './reasons.ts';
import type { Assertion } from './sentences.ts';
import { isProbe, roleProbe, setStage } from './stage.ts';

export type AssertionResult = {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly scenario: string | undefined;
  /** Absent where it holds. */
  readonly failure?: Finding;
};
/** What the assertions touched, for coverage. */
export type Touched = {
  readonly roles: ReadonlySet<string>;
  readonly endpoints: ReadonlySet<string>;
  /** `employee#view` */
  readonly permissions: ReadonlySet<string>;
  /** `employee#manager` */
  readonly relations: ReadonlySet<string>;
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
    for (const { sentence } of scenario.given)
      if (sentence.kind === 'related') touched.relations.add(`${sentence.resource.split(':')[0]}#${sentence.relation}`);
    results.push(...(await runScenario(folded, model, scenario, touched)));
  }
  return { results, findings: [...findings, ...results.flatMap(({ failure }) => failure ?? [])], touched };
};

type Collected = { [Key in keyof Touched]: Set<string> };

const runScenario = async (folded: FoldedModel, model: Model, scenario: Scenario, touched: Collected) => {
  const calls = callsOf(folded.organisation);
  const plans = scenario.assert.map((placed) => ({ placed, plan: planOf(folded, model, placed, scenario, calls) }));
  const ones = plans.flatMap(({ plan }) => ('ones' in plan ? plan.ones : []));
  const answers = await answersTo(folded, ones);
  const asked = new Map(
    ones.map((one, n) => [
      one,
      { ...one, answer: answers[n] ?? { outcome: 'unavailable', reason: 'engine-unreachable' } } as Asked,
    ]),
  );
  return plans.map(({ placed, plan }): AssertionResult => {
    const { text, file, line } = placed;
    const failed = (what: string, fix?: string): AssertionResult => ({
      text,
      file,
      line,
      scenario: scenario.name,
      failure: {
        rule: 'assertion/failed',
        level: 'error',
        file,
        line,
        what: `"${text}" does not hold: ${what}`,
        ...(fix !== undefined && { fix }),
      },
    });
    if (!('ones' in plan))
      return plan.holds ? { text, file, line, scenario: scenario.name } : failed(plan.what, plan.fix);
    const own = plan.ones.flatMap((one) => asked.get(one) ?? []);
    touch(folded, placed.sentence, own, touched);
    const failure = expectation(folded, placed.sentence, own);
    return failure === undefined ? { text, file, line, scenario: scenario.name } : failed(failure.what, failure.fix);
  });
};

type Plan =
  | { readonly ones: readonly Asking[] }
  | { readonly holds: boolean; readonly what: string; readonly fix: string };

const planOf = (
  folded: FoldedModel,
  model: Model,
  { sentence }: Placed<Assertion>,
  scenario: Scenario,
  calls: ReturnType<typeof callsOf>,
): Plan => {
  const { organisation } = folded;
  const called = calls(sentence.method, sentence.path);
  // What no endpoint takes is refused to everybody: that "nobody can" or "cannot" holds, but a misspelt path must not pass for it.
  if (!('endpoint' in called)) return { holds: false, ...called };
  const { now = scenario.at, ...circumstances } = sentence.circumstances;
  const context: Context = { now: wholeSeconds(now), ...circumstances };
  const resolve = (caller: string): Subject[] => {
    if (caller.startsWith('role:')) return [roleProbe(folded, caller.slice('role:'.length) as RoleName)];
    const owner = organisation.credentials.get(caller as CredentialId)?.owner;
    return owner === undefined ? [caller as Subject] : [caller as Subject, owner];
  };
  const missing = unknownRole(organisation.roles, sentence);
  if (missing !== undefined)
    return { holds: false, what: `there is no role ${missing}`, fix: `roles: ${[...model.roles.keys()].join(', ')}` };
  switch (sentence.kind) {
    case 'can':
      return { ones: [{ subjects: sentence.callers.flatMap(resolve), context, called }] };
    case 'anybody':
      return { ones: [{ subjects: [], context, called }] };
    case 'nobody-but': {
      const everybody = [...organisation.principals.values()]
        .filter(({ id, state }) => state === 'active' && !isProbe(id))
        .map(({ id }): string => id);
      const roles = [...model.roles.keys()].map((role) => `role:${role}`);
      const all = [...everybody, ...organisation.credentials.keys(), ...roles];
      return { ones: all.map((caller) => ({ subjects: resolve(caller), context, called })) };
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

/** As the gate asks: the endpoint, and every object that its rules name. */
const answersTo = (folded: FoldedModel, ones: readonly Asking[]): Promise<readonly Answer[]> =>
  folded.decide(
    ones.map(({ subjects, context, called: { endpoint, objects } }) => ({
      subjects,
      endpoint: endpoint.id,
      ...(objects.length > 0 && { objects }),
      context,
    })),
  );

const touch = (
  { explain, organisation }: FoldedModel,
  sentence: Assertion,
  asked: readonly Asked[],
  touched: Collected,
): void => {
  const named: readonly string[] =
    sentence.kind === 'can' ? sentence.callers : sentence.kind === 'nobody-but' ? sentence.except : [];
  for (const each of named) if (each.startsWith('role:')) touched.roles.add(each.slice('role:'.length));
  for (const { subjects, context, called, answer } of asked) {
    touched.endpoints.add(called.endpoint.id);
    for (const { resource, permission } of called.objects)
      touched.permissions.add(`${resource.split(':')[0]}#${permission}`);
    if (sentence.kind !== 'can') continue;
    // An allowed call touches the roles it went through; a refused one those that its callers hold and that do not suffice.
    const explanation = explain({ subjects, endpoint: called.endpoint.id, context });
    if (answer.outcome === 'allow' && explanation.outcome === 'allow' && 'ways' in explanation)
      for (const way of explanation.ways) if (way.role !== undefined) touched.roles.add(way.role);
    if (answer.outcome !== 'allow')
      for (const subject of subjects) for (const role of rolesOf(organisation, subject)) touched.roles.add(role);
  }
};

const rolesOf = (organisation: FoldedModel['organisation'], subject: Subject): string[] => {
  const groups = subject.startsWith('credential:') ? [] : [...organisation.groups.around(subject as PrincipalId)];
  return [subject as SubjectId, ...groups.map((group) => `${group}#member` as SubjectId)].flatMap((holder) =>
    organisation.grantsOf(holder).map(({ role }) => role),
  );
};
