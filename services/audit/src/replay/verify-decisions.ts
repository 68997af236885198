/**
 * Recorded decisions, decided once more: each with the circumstances that it was recorded with, at the place of the log that it rested
 * on. They are taken in the order of those places, so the engine goes through the log once.
 */
import type { Reached, Relationships } from '@postern/relationships';
import {
  type Answer,
  beginning,
  type Context,
  type DecisionPoint,
  type DecisionRecord,
  type Endpoint,
  type EndpointId,
  type GroupId,
  type LoggedFact,
  missingScopes,
  type Organisation,
  type Question,
  type RelationshipUpdate,
} from '@postern/schemas';
import { type Rebuilt, rebuild } from './rebuild.ts';

/** The authorizer's judgement over an engine that somebody else has filled. */
export type JudgeOver = (deps: {
  readonly engine: Relationships;
  readonly organisation: Organisation;
  readonly reached: () => Reached;
}) => DecisionPoint;

export type Difference = {
  readonly decision: string;
  readonly at: string;
  readonly sequence: number;
  readonly subject: string;
  readonly endpoint: string;
  /** `allow`, or why not. */
  readonly recorded: string;
  readonly replayed: string;
};
export type VerifiedDecisions = {
  readonly decisions: number;
  readonly same: number;
  /** Questions that were put to the engine. */
  readonly asked: number;
  readonly differences: readonly Difference[];
  /** Not decided by permissions, by why: a bad credential, a gate that was not ready. */
  readonly leftOut: Readonly<Record<string, number>>;
};

export type VerifyDecisionsDeps = {
  readonly openEngine: () => Promise<Relationships>;
  readonly judgeOver: JudgeOver;
  readonly onProgress?: (done: number, total: number) => void;
};

const ofPermissions: ReadonlySet<string> = new Set(['no-grant', 'condition-unmet', 'context-missing', 'scope-missing']);
const questionsAtOnce = 2_000;

/** Why a decision cannot be decided once more; undefined where it can. */
const leftOutFor = ({
  outcome,
  reason,
  observed,
  sequence,
  endpoint,
  principal,
}: DecisionRecord): string | undefined => {
  if (outcome === 'unavailable') return reason ?? outcome;
  if (outcome === 'deny' && !ofPermissions.has(reason ?? '')) return reason ?? outcome;
  if (endpoint === undefined || sequence === undefined) return 'no endpoint';
  // Whoever is nobody is let in at a public endpoint alone, and nothing is asked for that.
  if (principal === undefined)
    return outcome === 'allow' && observed === undefined ? 'public endpoint' : 'no principal';
  return undefined;
};

const recordedAs = ({ outcome, reason, observed }: DecisionRecord): string =>
  observed ?? (outcome === 'allow' ? 'allow' : (reason ?? outcome));

export const verifyDecisions = async (
  { openEngine, judgeOver, onProgress = () => {} }: VerifyDecisionsDeps,
  appends: AsyncIterable<readonly LoggedFact[]>,
  decisions: AsyncIterable<DecisionRecord>,
): Promise<VerifiedDecisions> => {
  const leftOut: Record<string, number> = {};
  const toAsk: DecisionRecord[] = [];
  let total = 0;
  for await (const decision of decisions) {
    total++;
    const why = leftOutFor(decision);
    if (why === undefined) toAsk.push(decision);
    else leftOut[why] = (leftOut[why] ?? 0) + 1;
  }
  toAsk.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));

  await using rebuilt = await rebuild(openEngine);
  const judge = judging(rebuilt, judgeOver);
  const differences: Difference[] = [];
  let done = 0;
  /** Those that rest on less than the next append. */
  const decideUpTo = async (sequence: number): Promise<void> => {
    while (done < toAsk.length && (toAsk[done]?.sequence ?? 0) < sequence) {
      const group: DecisionRecord[] = [];
      for (let at = done; at < toAsk.length && group.length < questionsAtOnce; at++) {
        const each = toAsk[at];
        if (each === undefined || (each.sequence ?? 0) >= sequence) break;
        group.push(each);
      }
      const replayed = await judge.all(group);
      group.forEach((decision, at) => {
        const [recorded, again] = [recordedAs(decision), replayed[at] ?? 'no answer'];
        if (recorded !== again) differences.push(difference(decision, recorded, again));
      });
      done += group.length;
      onProgress(done, toAsk.length);
    }
  };
  for await (const append of appends) {
    if (done >= toAsk.length) break;
    const first = append[0]?.sequence;
    if (first !== undefined) await decideUpTo(first);
    await rebuilt.take(append);
  }
  await decideUpTo(rebuilt.organisation.sequence + 1);
  if (toAsk.length > done) leftOut['rests on facts that are not here'] = toAsk.length - done;
  return { decisions: total, same: done - differences.length, asked: judge.asked(), differences, leftOut };
};

const difference = (decision: DecisionRecord, recorded: string, replayed: string): Difference => ({
  decision: decision.id,
  at: decision.at,
  sequence: decision.sequence ?? 0,
  subject: [decision.principal, decision.credential, ...(decision.actors ?? [])].filter(Boolean).join(' + '),
  endpoint: [decision.endpoint, ...(decision.also ?? [])].join(' + '),
  recorded,
  replayed,
});

type Pair = Pick<Question, 'subjects' | 'endpoint' | 'objects'>;
type Kept = { readonly bare: Answer; readonly byCircumstances: Map<string, Answer> };

/** Answers, kept for as long as nothing changes that they could rest on; those that depend on circumstances, by the circumstances. */
const judging = (rebuilt: Rebuilt, judgeOver: JudgeOver) => {
  const { organisation, engine, reached, changed, settle } = rebuilt;
  const { decide } = judgeOver({ engine, organisation, reached });
  const kept = new Map<string, Kept>();
  const bySubject = new Map<string, Set<string>>();
  const endpoints = new Map<string, Endpoint>();
  let schema: string | undefined;
  let asked = 0;

  const refresh = (): void => {
    const touched = touchedBy(organisation, changed());
    if (touched === 'everybody' || schema !== organisation.schema) {
      kept.clear();
      bySubject.clear();
    } else
      for (const subject of touched) {
        for (const key of bySubject.get(subject) ?? []) kept.delete(key);
        bySubject.delete(subject);
      }
    schema = organisation.schema;
    endpoints.clear();
    for (const service of organisation.services.values())
      for (const endpoint of service.endpoints) endpoints.set(endpoint.id, endpoint);
  };
  const found = (key: string, context: Context): Answer | undefined => {
    const known = kept.get(key);
    if (known === undefined || known.bare.outcome === 'unavailable' || known.bare.dependsOn.length === 0)
      return known?.bare;
    return known.byCircumstances.get(circumstances(context, known.bare));
  };
  const keep = (key: string, { subjects, context }: Question, answer: Answer): void => {
    const known = kept.get(key) ?? { bare: answer, byCircumstances: new Map<string, Answer>() };
    kept.set(key, known);
    known.byCircumstances.set(circumstances(context, answer), answer);
    for (const subject of subjects) {
      const keys = bySubject.get(subject);
      if (keys === undefined) bySubject.set(subject, new Set([key]));
      else keys.add(key);
    }
  };

  const all = async (decisions: readonly DecisionRecord[]): Promise<string[]> => {
    await settle();
    refresh();
    const wanted = decisions.map((decision) => pairsOf(decision).map((pair) => ({ pair, key: JSON.stringify(pair) })));
    const open = new Map<string, { readonly key: string; readonly question: Question }>();
    decisions.forEach((decision, at) => {
      const context = contextOf(decision);
      for (const { pair, key } of wanted[at] ?? [])
        if (endpoints.get(pair.endpoint)?.public !== true && found(key, context) === undefined)
          open.set(kept.has(key) ? `${key} ${JSON.stringify(context)}` : key, {
            key,
            question: { ...pair, context, atLeast: beginning },
          });
    });
    const asking = [...open.values()];
    if (asking.length > 0) {
      asked += asking.length;
      const answers = await decide(asking.map(({ question }) => question));
      asking.forEach(({ key, question }, at) => {
        const answer = answers[at];
        if (answer !== undefined) keep(key, question, answer);
      });
      // Of one pair in several circumstances, the others are known to be needed only now.
      const more = decisions.some((decision, at) =>
        (wanted[at] ?? []).some(
          ({ pair, key }) =>
            endpoints.get(pair.endpoint)?.public !== true && found(key, contextOf(decision)) === undefined,
        ),
      );
      if (more) return all(decisions);
    }
    return decisions.map((decision, at) => {
      const context = contextOf(decision);
      for (const { pair, key } of wanted[at] ?? []) {
        const endpoint = endpoints.get(pair.endpoint);
        if (endpoint === undefined) return 'no-such-endpoint';
        const answer = endpoint.public === true ? undefined : found(key, context);
        if (answer !== undefined && answer.outcome !== 'allow') return answer.reason;
        if ((decision.scopesBeyond ?? 0) === 0 && missingScopes(decision.scopes, endpoint).length > 0)
          return 'scope-missing';
      }
      return 'allow';
    });
  };
  return { all, asked: () => asked };
};

/**
 * Whose answers a change of the graph can have turned. Who stands in a group or holds a role touches the one, or those in the group; what
 * a role, a service or an object leads to may touch anybody.
 */
const touchedBy = (
  organisation: Organisation,
  updates: readonly RelationshipUpdate[],
): ReadonlySet<string> | 'everybody' => {
  const touched = new Set<string>();
  for (const { relationship } of updates) {
    const { resource, relation, subject } = relationship;
    const ofHolders =
      (resource.startsWith('role:') && relation === 'holder') ||
      (resource.startsWith('group:') && relation === 'member') ||
      (resource.startsWith('credential:') && relation === 'owner');
    if (!ofHolders) return 'everybody';
    const [name = '', through] = subject.split('#');
    if (through === undefined) touched.add(name);
    // Whoever has left the group meanwhile left it by an update of their own.
    else for (const member of organisation.groups.inside(name as GroupId)) touched.add(member);
    if (resource.startsWith('credential:')) touched.add(resource);
  }
  return touched;
};

const circumstances = (context: Context, answer: Answer): string =>
  answer.outcome === 'unavailable' ? '' : JSON.stringify(answer.dependsOn.map((field) => context[field] ?? null));

const pairsOf = ({ principal, credential, actors = [], endpoint, also = [], objects }: DecisionRecord): Pair[] => {
  const subjects = [principal, credential, ...actors].filter(
    (each) => each !== undefined,
  ) as unknown as Pair['subjects'];
  const named = objects?.map((text) => {
    const at = text.lastIndexOf('#');
    return { resource: text.slice(0, at), permission: text.slice(at + 1) };
  });
  return [endpoint, ...also].map((each, at) => ({
    subjects,
    endpoint: each as EndpointId,
    ...(at === 0 && named !== undefined && { objects: named }),
  }));
};

const contextOf = ({ at, ip, country, acr, amr }: DecisionRecord): Context => {
  const now = new Date(at);
  now.setUTCMilliseconds(0);
  return {
    now: now.toISOString(),
    ...(ip !== undefined && { ip }),
    ...(country !== undefined && { country }),
    ...(acr !== undefined && { acr }),
    ...(amr !== undefined && { amr }),
  };
};
