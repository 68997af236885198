/** What each report says, from the organisation at the head and from what was used. Pure. */
import type { Organisation, PrincipalId, RoleName, SubjectId } from '@postern/schemas';
import { isBroughtAlong } from '@postern/schemas';
import { breakGlassReviewers } from '../decide/approvers.ts';
import { areSeparate, peopleBehind } from '../decide/duties.ts';
import { opened, type Uses } from './use.ts';

export type Cell = string | number | undefined;
export type Row = Readonly<Record<string, Cell>>;
export type Report = { readonly columns: readonly string[]; readonly rows: readonly Row[] };

const dayMs = 86_400_000;

/** Grants that are older than `unusedMs` and were not used for as long. */
export const dormantReport = (organisation: Organisation, uses: Uses, unusedMs: number, nowMs: number): Report => {
  const before = new Date(nowMs - unusedMs).toISOString();
  const rows: Row[] = [];
  for (const grant of organisation.grants.values()) {
    if (grant.origin === 'key' || grant.issued > before) continue;
    const lastUsed = uses.ofGrant(grant);
    if (lastUsed === 'unknown' || (lastUsed !== undefined && lastUsed > before)) continue;
    const { id, subject, role, origin, issued, by, reason } = grant;
    const since = Date.parse(lastUsed ?? issued);
    rows.push({
      subject,
      role,
      lastUsed,
      unusedDays: Math.floor((nowMs - since) / dayMs),
      origin,
      issued,
      by,
      reason,
      grant: id,
    });
  }
  const columns = ['subject', 'role', 'lastUsed', 'unusedDays', 'origin', 'issued', 'by', 'reason', 'grant'];
  return { columns, rows };
};

/** Whoever has left, or never joined, and still holds something. There must be none: the fact that says they left ends it all. */
export const leaversReport = (organisation: Organisation): Report => {
  const rows: Row[] = [];
  const isAway = (principal: string) => organisation.principals.get(principal as PrincipalId)?.state !== 'active';
  const leftAt = (principal: string) => organisation.principals.get(principal as PrincipalId)?.since;
  const away = (holds: string, principal: string, id: string) =>
    rows.push({ principal, holds, id, leftAtSequence: leftAt(principal) });
  for (const { id, subject, role } of organisation.grants.values())
    if (/^(user|workload):/.test(subject) && isAway(subject)) away(`role ${role}`, subject, id);
  for (const { id, owner } of organisation.credentials.values()) if (isAway(owner)) away('key', owner, id);
  for (const group of organisation.groups.names())
    for (const principal of organisation.groups.inside(group))
      if (isAway(principal)) away('membership', principal, group);
  for (const { resource, relation, subject } of organisation.objects.all())
    if (/^(user|workload):[^#]*$/.test(subject) && isAway(subject)) away(relation, subject, resource);
  return { columns: ['principal', 'holds', 'id', 'leftAtSequence'], rows };
};

/** Who holds both halves, since before they were kept separate; and what birthrights were withheld so that nobody does. */
export const dutiesReport = (organisation: Organisation): Report => {
  const rows: Row[] = [];
  const holdersOf = new Map<RoleName, Map<PrincipalId, string>>();
  for (const { role, subject } of organisation.grants.values()) {
    const holders = holdersOf.get(role) ?? new Map<PrincipalId, string>();
    for (const person of peopleBehind(organisation, subject))
      holders.set(person, subject.startsWith('group:') ? `${role} through ${subject}` : role);
    holdersOf.set(role, holders);
  }
  const roles = [...organisation.roles.keys()];
  for (const [n, role] of roles.entries())
    for (const other of roles.slice(n + 1)) {
      if (!areSeparate(organisation, role, other)) continue;
      const others = holdersOf.get(other);
      for (const [person, one] of holdersOf.get(role) ?? [])
        if (others?.has(person)) rows.push({ person, state: 'holds both', one, other: others.get(person) });
    }
  for (const { principal, role, because, reason } of organisation.life.allWithheld())
    if (because === 'separation-of-duties')
      rows.push({ person: principal, state: 'birthright withheld', one: role, other: reason });
  return { columns: ['person', 'state', 'one', 'other'], rows };
};

/** Roles that open more than their holders use. */
export const wideRolesReport = (organisation: Organisation, uses: Uses): Report => {
  const holdersOf = new Map<RoleName, Set<string>>();
  for (const { role, subject, origin } of organisation.grants.values()) {
    if (origin === 'key') continue;
    const holders = holdersOf.get(role) ?? new Set<string>();
    for (const person of peopleBehind(organisation, subject)) holders.add(person);
    holdersOf.set(role, holders);
  }
  const rows = [...organisation.roles.keys()].flatMap((role): Row[] => {
    const opens = opened(organisation, role);
    const holders = holdersOf.get(role);
    if (opens === undefined || opens.size === 0 || holders === undefined) return [];
    const used = uses.ofRole(role, holders);
    if (used.size === opens.size) return [];
    const unused = [...opens].filter((endpoint) => !used.has(endpoint)).sort();
    return [{ role, holders: holders.size, opens: opens.size, used: used.size, unused: unused.slice(0, 50).join(' ') }];
  });
  rows.sort((a, b) => Number(b['opens']) - Number(b['used']) - (Number(a['opens']) - Number(a['used'])));
  return { columns: ['role', 'holders', 'opens', 'used', 'unused'], rows };
};

/** Keys without an owner who is here, without an end, or unused. */
export const keysReport = (organisation: Organisation, uses: Uses, unusedMs: number, nowMs: number): Report => {
  const before = new Date(nowMs - unusedMs).toISOString();
  const rows = [...organisation.credentials.values()].flatMap(({ id, owner, until, issued, by, successor }): Row[] => {
    const lastUsed = uses.ofKey(id);
    const what = [
      ...(organisation.principals.get(owner)?.state === 'active' ? [] : ['no owner']),
      ...(issued <= before && (lastUsed ?? '') <= before ? ['unused'] : []),
      ...(until === undefined ? ['no end'] : Date.parse(until) <= nowMs ? ['run out'] : []),
      ...(successor === undefined ? [] : ['rotated']),
    ];
    return what.length === 0 ? [] : [{ key: id, owner, what: what.join(', '), lastUsed, issued, by, until, successor }];
  });
  return { columns: ['key', 'owner', 'what', 'lastUsed', 'issued', 'by', 'until', 'successor'], rows };
};

/**
 * What people who moved brought along: no birthright, held from before, and not looked at since; and, of those who moved in the last
 * `windowMs`, the groups that give them roles, for which no grant of their own can be looked at.
 */
export const moversReport = (organisation: Organisation, windowMs: number, nowMs: number): Report => {
  const rows: Row[] = [];
  for (const grant of organisation.grants.values()) {
    if (!isBroughtAlong(organisation, grant)) continue;
    const { id, subject, role, issued, by, reason } = grant;
    const { moved } = organisation.principals.get(subject as unknown as PrincipalId) ?? {};
    rows.push({ subject, role, moved, as: 'grant', issued, by, reason, id });
  }
  const from = new Date(nowMs - windowMs).toISOString();
  for (const { id: subject, moved, state } of organisation.principals.values()) {
    if (state !== 'active' || moved === undefined || moved < from) continue;
    for (const group of organisation.groups.around(subject))
      for (const { role, issued, by, reason } of organisation.grantsOf(`${group}#member` as SubjectId))
        rows.push({ subject, role, moved, as: 'membership', issued, by, reason, id: group });
  }
  return { columns: ['subject', 'role', 'moved', 'as', 'issued', 'by', 'reason', 'id'], rows };
};

/** Uses of break-glass that nobody else has looked at yet. */
export const breakGlassReport = (organisation: Organisation): Report => ({
  columns: ['use', 'subject', 'role', 'opened', 'until', 'state', 'reason', 'ticket', 'reviewers'],
  rows: organisation.life.breakGlass
    .unreviewed()
    .map(({ id, subject, role, opened: at, until, grant, reason, ticket }) => ({
      use: id,
      subject,
      role,
      opened: at,
      until,
      state: organisation.grants.has(grant) ? 'open' : 'over',
      reason,
      ticket,
      reviewers: breakGlassReviewers(organisation.roles.get(role)).join(' '),
    })),
});
