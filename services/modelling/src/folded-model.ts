/** A model on the bench: its files and further facts, folded into an organisation and an engine of its own, ready to be asked. */
import type { Reached, Relationships } from '@postern/relationships';
import {
  type Answer,
  beginning,
  type FactDraft,
  gateSchema,
  isProblem,
  Organisation,
  Problem,
  posternApi,
  posternRoles,
  type Question,
  type Relationship,
  RoleName,
  type RoleRules,
  relationshipKey,
  type Service,
  sealAppend,
  systemActor,
  updatesBetween,
} from '@postern/schemas';
import type { Asked, DecideCommand, Explanation, JudgeOver, ModelCommand } from './judgement.ts';
import { refusedUpdates } from './set-aside.ts';

export type Model = {
  readonly schema: string;
  readonly services: readonly Service[];
  readonly roles: ReadonlyMap<RoleName, RoleRules>;
};

export type ModellingDeps = {
  /** An empty engine; whoever asked for it disposes of it. */
  readonly openEngine: () => Promise<Relationships>;
  /** The grants room's deciders. */
  readonly decideCommand: DecideCommand;
  /** The authorizer's judgement. */
  readonly judgeOver: JudgeOver;
};

export type FoldedModel = AsyncDisposable & {
  /** What has been told so far. */
  readonly organisation: Organisation;
  readonly engine: Relationships;
  /** Folds what the command leads to; answers with the refusal where the deciders refuse it, and nothing has changed then. */
  readonly tell: (command: ModelCommand, at?: string) => Problem | undefined;
  /** All relationships told so far: what the engine holds once settled. */
  readonly relationships: () => Iterable<Relationship>;
  /** Of a log: relationships of objects that the schema does not know, and that the engine has not taken. */
  readonly aside: () => readonly Relationship[];
  /** Folds facts that were decided elsewhere, in their order. */
  readonly fold: (facts: Iterable<FactDraft>) => void;
  /** Decides as the gate would, on everything told so far; a public endpoint is allowed to anybody. Answers in order. */
  readonly decide: (questions: readonly Omit<Question, 'atLeast'>[]) => Promise<readonly Answer[]>;
  /** Brings the engine to what has been told; `decide` does so itself. */
  readonly settle: () => Promise<void>;
  readonly explain: (asked: Asked) => Explanation;
};

/** Questions in one call of the engine. */
const questionsAtOnce = 2_000;

/**
 * Owns the engine it opens. Rejects with `authorizer/schema-refused` where the engine does not take the schema, and with the
 * refusal of a role or of routes that the deciders do not take. Postern's own service and roles come with every model.
 */
export const foldModel = (
  deps: ModellingDeps,
  model: Model,
  { facts = [], at = defaultStart }: { readonly facts?: Iterable<FactDraft>; readonly at?: string } = {},
): Promise<FoldedModel> =>
  onBench(deps, at, async (bench) => {
    bench.publish(model);
    await bench.folded.engine.writeSchema(model.schema);
    bench.folded.fold(facts);
  });

/**
 * A log as it stands; with `model`, as it would stand once that was published over it. A relationship of an object that the schema does
 * not know is set aside, as the authorizer does. Otherwise as {@link foldModel}.
 */
export const foldLog = (
  deps: ModellingDeps,
  facts: Iterable<FactDraft>,
  { model, keeps }: { readonly model?: Model; readonly keeps?: (relationship: Relationship) => boolean } = {},
): Promise<FoldedModel> =>
  onBench(
    deps,
    defaultStart,
    async ({ folded, publish, setAside }) => {
      setAside();
      folded.fold(facts);
      if (model !== undefined) publish(model);
      await folded.engine.writeSchema(folded.organisation.schema ?? gateSchema);
    },
    keeps,
  );

const defaultStart = '2026-01-01T00:00:00Z';

const onBench = async (
  deps: ModellingDeps,
  at: string,
  fill: (bench: ReturnType<typeof benchOver>) => Promise<void>,
  keeps?: (relationship: Relationship) => boolean,
): Promise<FoldedModel> => {
  const engine = await deps.openEngine();
  try {
    const bench = benchOver(engine, deps, at, keeps);
    await fill(bench);
    await bench.folded.settle();
    return bench.folded;
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
};

const benchOver = (
  engine: Relationships,
  { decideCommand, judgeOver }: ModellingDeps,
  start: string,
  keeps: (relationship: Relationship) => boolean = () => true,
) => {
  const organisation = new Organisation();
  let ids = 0;
  const newId = () => `01890000-0000-7000-8000-${(++ids).toString(16).padStart(12, '0')}`;
  let reached: Reached = { sequence: beginning, zookie: '' as Reached['zookie'], place: undefined };
  /** What the engine holds, by key. */
  const held = new Map<string, Relationship>();
  const aside = new Map<string, Relationship>();
  let setsAside = false;
  const judge = judgeOver({ engine, organisation, reached: () => reached });

  const fold = (facts: Iterable<FactDraft>): void => {
    for (const draft of facts)
      for (const entry of sealAppend(organisation.sequence, [draft])) {
        const { fact } = entry;
        if (fact !== undefined) organisation.apply({ ...entry, fact });
      }
  };
  const tell = (command: ModelCommand, at = start): Problem | undefined => {
    const correlation = newId();
    const circumstances = { now: at, occurred: at, actor: systemActor('modelling'), newId, correlation };
    const decided = decideCommand(command, organisation, circumstances);
    if (decided.outcome === 'refused') return decided.problem;
    if (decided.outcome === 'facts') fold(decided.facts);
    return undefined;
  };
  function* relationships(): Generator<Relationship> {
    for (const relationship of organisation.relationships())
      if (keeps(relationship) && !aside.has(relationshipKey(relationship))) yield relationship;
  }
  const settle = async (): Promise<void> => {
    if (reached.sequence === organisation.sequence) return;
    const updates = updatesBetween(held.values(), relationships());
    for (const { operation, relationship } of updates)
      if (operation === 'touch') held.set(relationshipKey(relationship), relationship);
      else held.delete(relationshipKey(relationship));
    const projection = { from: reached.sequence, to: organisation.sequence, updates, facts: [], actor: 'modelling' };
    const written = await engine.project(projection).catch(async (error) => {
      if (!setsAside || !isProblem(error, 'authorizer/relationship-refused')) throw error;
      const refused = await refusedUpdates(engine, updates);
      if (refused.length === 0) throw error;
      for (const { relationship } of refused) {
        const key = relationshipKey(relationship);
        aside.set(key, relationship);
        held.delete(key);
      }
      return engine.project({ ...projection, updates: updates.filter((each) => !refused.includes(each)) });
    });
    if (written.outcome === 'lost')
      throw new Problem('runtime/internal', { detail: 'somebody else writes to the bench' });
    reached = written.reached;
  };
  const isPublic = (endpoint: string): boolean =>
    organisation.services.get(endpoint.slice(0, endpoint.indexOf('/')))?.endpoints.find(({ id }) => id === endpoint)
      ?.public === true;

  const decide: FoldedModel['decide'] = async (questions) => {
    await settle();
    const { sequence } = reached;
    const answers: Answer[] = questions.map(() => ({ outcome: 'allow', sequence, dependsOn: [] }));
    const asked = [...questions.entries()].filter(([, { endpoint }]) => !isPublic(endpoint));
    for (let from = 0; from < asked.length; from += questionsAtOnce) {
      const batch = asked.slice(from, from + questionsAtOnce);
      const given = await judge.decide(batch.map(([, question]) => ({ ...question, atLeast: beginning })));
      batch.forEach(([index], n) => {
        answers[index] = given[n] ?? { outcome: 'unavailable', reason: 'engine-unreachable' };
      });
    }
    return answers;
  };
  const publish = ({ schema, services, roles }: Model): void => {
    const must = (refusal: Problem | undefined): void => {
      if (refusal) throw refusal;
    };
    must(tell({ kind: 'publish-schema', text: schema }));
    const published = [posternApi(), ...services];
    for (const service of published) must(tell({ kind: 'publish-routes', service }));
    for (const live of [...organisation.services.values()])
      if (!published.some(({ name }) => name === live.name))
        must(tell({ kind: 'publish-routes', service: { ...live, endpoints: [] } }));
    const own = Object.entries(posternRoles).map(([role, rules]) => [RoleName.parse(role), rules] as const);
    for (const [role, rules] of [...own, ...roles]) must(tell({ kind: 'define-role', role, rules }));
  };
  const folded: FoldedModel = {
    organisation,
    engine,
    tell,
    relationships,
    aside: () => [...aside.values()],
    fold,
    decide,
    settle,
    explain: judge.explain,
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
  const setAside = (): void => {
    setsAside = true;
  };
  return { folded, publish, setAside };
};
