/** Proposals are put into the model on the bench, through the deciders, as publishing and granting would. */
import { type EndpointId, RoleName, type RoleRules, type SubjectId, systemActor } from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import type { Needs } from './needs.ts';
import type { Proposed } from './proposing.ts';

const trialRole = RoleName.parse('postern-suggest-trial');

/** While `work` runs, whoever needs an endpoint may call it: what is refused then is refused for something else. */
export const withEndpointsOpen = async <Result>(
  live: FoldedModel,
  needs: Needs<EndpointId>,
  work: () => Promise<Result>,
): Promise<Result> => {
  const allows = [...needs.values()].map(({ thing }) => ({ endpoint: thing }));
  if (allows.length === 0) return work();
  live.tell({ kind: 'define-role', role: trialRole, rules: { allows } });
  const subjects = new Set([...needs.values()].flatMap(({ callers }) => [...callers.keys()]));
  for (const subject of subjects)
    live.tell({ kind: 'issue-grant', subject: subject as SubjectId, role: trialRole, reason: 'tried' });
  try {
    return await work();
  } finally {
    live.fold([retired()]);
  }
};

/** The refusals of the deciders, in their words. */
export const putInto = (live: FoldedModel, { proposals, grants }: Proposed): string[] => {
  const refusals: string[] = [];
  const tell = (what: string, ...[command]: Parameters<FoldedModel['tell']>): void => {
    const refusal = live.tell(command);
    if (refusal !== undefined) refusals.push(`${what}: ${refusal.detail ?? refusal.message}`);
  };
  const give = (subject: SubjectId, role: RoleName): void =>
    tell(`${role} for ${subject}`, { kind: 'issue-grant', subject, role, reason: 'proposed' });
  for (const { role: name, rules, holders } of proposals) {
    const role = RoleName.parse(name);
    tell(name, { kind: 'define-role', role, rules: rules satisfies RoleRules });
    for (const holder of holders) give(holder, role);
  }
  for (const { subject, role } of grants) give(subject, role);
  return refusals;
};

const retired = () => {
  const id = '01890002-0000-7000-8000-000000000001';
  const time = '2026-01-01T00:00:00Z';
  return {
    id,
    source: '/postern/modelling',
    type: 'postern.role.retired.v1' as const,
    time,
    recordedtime: time,
    correlationid: id,
    ...systemActor('modelling'),
    data: { role: trialRole },
  };
};
