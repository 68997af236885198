/** What the files here are compared against: the files of another folder, or a log as it stands. */

import type { ModelPlaces } from '@postern/runtime';
import { Fact, type FactDraft, isProblem, type RoleName } from '@postern/schemas';
import { parseZed } from '@postern/schemas/zed';
import type { Gain } from '../assertions/gains.ts';
import type { Given } from '../assertions/given.ts';
import type { Placed } from '../assertions/reading.ts';
import { roleProbe, setStage, unknownRelationship } from '../assertions/stage.ts';
import { type FoldedModel, foldLog, foldModel, type Model, type ModellingDeps } from '../folded-model.ts';
import type { Finding, Level } from '../report/finding.ts';
import { sortGains } from './accepted.ts';
import { type Change, type Comparison, compare } from './compare.ts';
import { droppedRelationships } from './dropped.ts';
import { type UseRead, type WriteUseInput, writeUse } from './write-use.ts';

export type Against =
  | { readonly kind: 'files'; readonly name: string; readonly model: Model }
  | { readonly kind: 'facts'; readonly name: string; readonly facts: readonly FactDraft[] };

/** NDJSON: a fact a line, or a row of the audit API with the fact as its `body`. Newest first is turned round. */
export const readFacts = (text: string): readonly FactDraft[] | { readonly line: number; readonly what: string } => {
  const facts: Fact[] = [];
  for (const [n, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return { line: n + 1, what: 'is no JSON' };
    }
    const body = typeof value === 'object' && value !== null && 'body' in value ? value.body : value;
    const fact = Fact.safeParse(body);
    if (!fact.success) {
      const [issue] = fact.error.issues;
      return { line: n + 1, what: `is no fact: ${issue?.path.join('.')}: ${issue?.message}` };
    }
    facts.push(fact.data);
  }
  facts.sort((a, b) => Number(a.sequence) - Number(b.sequence));
  const gap = facts.findIndex(({ sequence }, n) => Number(sequence) !== n + 1);
  return gap < 0
    ? facts
    : { line: gap + 1, what: `is not fact ${gap + 1}: the export has to hold every fact from the first on` };
};

export type AgainstInput = {
  readonly model: Model;
  readonly places: ModelPlaces;
  readonly against: Against;
  /** What is given, for a comparison of files: it has nobody else to ask for. */
  readonly given: readonly Placed<Given>[];
  readonly at: string;
  readonly questionsMax?: number;
  /** Gains that are meant; `all` where whoever asks has seen them. */
  readonly accepted: readonly Placed<Gain>[] | 'all';
  /** Calls that were recorded under these facts. */
  readonly recorded?: Recorded;
};
export type Recorded = Pick<WriteUseInput, 'uses' | 'source' | 'sinceMs'>;
export type Compared = {
  readonly findings: readonly Finding[];
  readonly comparison?: Comparison;
  readonly use?: UseRead;
};

export const compareAgainst = async (
  deps: ModellingDeps,
  { model, places, against, given, at, questionsMax, accepted, recorded }: AgainstInput,
): Promise<Compared> => {
  const schema = parseZed(model.schema);
  const keeps = (relationship: Parameters<typeof unknownRelationship>[0]) =>
    unknownRelationship(relationship, schema) === undefined;
  try {
    await using before = await (against.kind === 'files'
      ? foldModel(deps, against.model, { at })
      : foldLog(deps, against.facts));
    await using after = await (against.kind === 'files'
      ? foldModel(deps, model, { at })
      : foldLog(deps, against.facts, { model, keeps }));
    // What a model refuses of what is given is said where the assertions are run.
    if (against.kind === 'files') {
      setStage(before, given, at, parseZed(against.model.schema));
      setStage(after, given, at, schema);
    }
    const dropped = droppedRelationships(before.relationships(), schema, places.config('model', 'schema'));
    for (const folded of [before, after])
      for (const role of new Set<RoleName>([...before.organisation.roles.keys(), ...after.organisation.roles.keys()]))
        if (folded.organisation.roles.has(role)) roleProbe(folded, role);
    const comparison = await compare(before, after, questionsMax === undefined ? {} : { questionsMax });
    const told = (rule: 'change/gains' | 'change/loses', level: Level, changes: readonly Change[], fix?: string) =>
      changes.map(
        (change): Finding => ({
          rule,
          level,
          ...placeOf(after, model, places, change),
          what: changeText(change),
          ...(fix !== undefined && { fix }),
        }),
      );
    const all = { accepted: comparison.gains, open: [], idle: [] };
    const sorted = accepted === 'all' ? all : sortGains(comparison.gains, accepted, after.organisation);
    const use =
      recorded === undefined ? undefined : await writeUse({ model, places, live: before.organisation, ...recorded });
    return {
      findings: [
        ...dropped,
        ...told('change/gains', 'warning', sorted.open, sayYes),
        ...told('change/gains', 'note', sorted.accepted),
        ...told('change/loses', 'note', comparison.loses),
        ...sorted.idle.map(({ text, file, line }): Finding => {
          const what = `"${text}" is no gain over ${against.name}`;
          return { rule: 'change/gains-idle', level: 'note', file, line, what, fix: 'remove it once it is live' };
        }),
        ...(use?.findings ?? []),
      ],
      comparison,
      ...(use && { use: use.read }),
    };
  } catch (error) {
    if (!isProblem(error)) throw error;
    const what = `${against.name} cannot be compared with: ${error.message}`;
    return { findings: [{ rule: 'change/refused', level: 'error', ...places.config('model'), what }] };
  }
};

const sayYes = 'if it is meant, say so under gains: in the assertions (SUBJECT gains TARGET)';

const subjectsNamedMax = 8;
export const changeText = ({ target, before, after, subjects }: Change): string => {
  const more = subjects.length > subjectsNamedMax ? ` and ${subjects.length - subjectsNamedMax} more` : '';
  return `${target}: ${before} → ${after} for ${subjects.slice(0, subjectsNamedMax).join(', ')}${more}`;
};

const placeOf = ({ organisation }: FoldedModel, model: Model, places: ModelPlaces, { target }: Change) => {
  const endpoint = [...organisation.services.values()]
    .flatMap(({ endpoints }) => endpoints)
    .find(({ id }) => id === target);
  if (endpoint !== undefined && model.services.some(({ endpoints }) => endpoints.includes(endpoint)))
    return places.endpoint(endpoint.id);
  const [object = '', permission] = target.split('#');
  const type = object.slice(0, object.indexOf(':'));
  const line = parseZed(model.schema)
    .definitions.find(({ name }) => name === type)
    ?.permissions.find(({ name }) => name === permission)?.line;
  return line === undefined ? places.config('model') : places.schema(line);
};
