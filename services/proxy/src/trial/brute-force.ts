/** A decision point that computes every answer from the facts, with no graph and no cache: slow, and plainly right. */
import type { EventLog } from '@postern/event-log';
import {
  type Allowance,
  type Answer,
  type Context,
  type ContextField,
  type DecisionPoint,
  type ObjectQuestion,
  Organisation,
  type Question,
  type SubjectId,
} from '@postern/schemas';

type Conditions = { readonly from?: string; readonly until?: string };

/** Do all subjects hold all that is asked? Knows the conditions `from` and `until`, and of objects the type `employee` of gate.zed. */
export const judge = (
  organisation: Organisation,
  { subjects, endpoint, objects = [] }: Pick<Question, 'subjects' | 'endpoint' | 'objects'>,
  { now }: Context,
): Answer => {
  const { sequence } = organisation;
  const at = Date.parse(now);
  let timed = false;
  for (const subject of subjects)
    for (const verdict of [
      holds(organisation, subject, endpoint, at),
      ...objects.map((object) => holdsObject(organisation, subject, object, at)),
    ]) {
      timed ||= verdict.timed;
      if (!verdict.has)
        return {
          outcome: 'deny',
          reason: verdict.timed ? 'condition-unmet' : 'no-grant',
          sequence,
          dependsOn: fields(verdict.timed),
        };
    }
  return { outcome: 'allow', sequence, dependsOn: fields(timed) };
};

const fields = (timed: boolean): readonly ContextField[] => (timed ? ['now'] : []);

type Held = { readonly has: boolean; readonly timed: boolean };

const holds = (organisation: Organisation, subject: SubjectId, endpointId: string, nowMs: number): Held => {
  const [service] = [...organisation.services.values()].filter(({ endpoints }) =>
    endpoints.some(({ id }) => id === endpointId),
  );
  const endpoint = service?.endpoints.find(({ id }) => id === endpointId);
  if (service === undefined || endpoint === undefined) return { has: false, timed: false };
  const covering: Record<string, readonly string[]> = {
    read: ['read', 'write', 'admin'],
    write: ['write', 'admin'],
    admin: ['admin'],
  };
  return holdsRole(organisation, subject, nowMs, (allowance) =>
    'endpoint' in allowance
      ? allowance.endpoint === endpointId
      : 'service' in allowance &&
        endpoint.opaque !== true &&
        allowance.service === service.name &&
        covering[endpoint.access]?.includes(allowance.access) === true,
  );
};

/** `employee` of gate.zed: view = self_service + manager + reader, and whatever a role says. */
const holdsObject = (
  organisation: Organisation,
  subject: SubjectId,
  { resource, permission }: ObjectQuestion,
  nowMs: number,
): Held => {
  if (!resource.startsWith('employee:') || permission !== 'view') return { has: false, timed: false };
  const standing = [...organisation.objects.all()].filter(
    (edge) => edge.resource === resource && ['self_service', 'manager'].includes(edge.relation),
  );
  const around = [...organisation.groups.around(subject as never)].map((group) => `${group}#member`);
  if (standing.some((edge) => edge.subject === subject || around.includes(edge.subject)))
    return { has: true, timed: false };
  return holdsRole(
    organisation,
    subject,
    nowMs,
    (allowance) =>
      'object' in allowance && allowance.permission === 'view' && ['employee:*', resource].includes(allowance.object),
  );
};

const holdsRole = (
  organisation: Organisation,
  subject: SubjectId,
  nowMs: number,
  reaches: (allowance: Allowance) => boolean,
): Held => {
  const groups = subject.startsWith('credential:')
    ? []
    : [...organisation.groups.around(subject as never)].map((group) => `${group}#member` as SubjectId);
  let timed = false;
  for (const holder of [subject, ...groups])
    for (const { role, conditions } of organisation.grantsOf(holder)) {
      if (!(organisation.roles.get(role)?.allows ?? []).some(reaches)) continue;
      const { from, until } = (conditions ?? {}) as Conditions;
      if (from === undefined && until === undefined) return { has: true, timed: false };
      timed = true;
      if ((from === undefined || nowMs >= Date.parse(from)) && (until === undefined || nowMs < Date.parse(until)))
        return { has: true, timed };
    }
  return { has: false, timed };
};

export type BruteForce = DecisionPoint & {
  /** Every question asked so far. */
  readonly asked: readonly Question[];
  /** While set, answers with this instead. */
  insist: Answer | undefined;
  readonly stop: () => void;
};

/** Follows the log by itself and answers once it has come as far as is asked. */
export const bruteForce = (log: EventLog): BruteForce => {
  const organisation = new Organisation();
  const over = new AbortController();
  const waiting = new Set<() => void>();
  const asked: Question[] = [];
  void (async () => {
    for await (const { entries } of log.facts.follow(organisation.sequence, { signal: over.signal })) {
      for (const entry of entries) if (entry.fact !== undefined) organisation.apply({ ...entry, fact: entry.fact });
      for (const wake of [...waiting]) wake();
    }
  })().catch(() => {});
  const reached = (sequence: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (organisation.sequence < sequence) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const point: BruteForce = {
    asked,
    insist: undefined,
    stop: () => over.abort(),
    decide: (questions) =>
      Promise.all(
        questions.map(async (question) => {
          asked.push(question);
          if (point.insist !== undefined) return point.insist;
          await reached(question.atLeast);
          return judge(organisation, question, question.context);
        }),
      ),
  };
  return point;
};
