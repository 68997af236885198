/**
 * Histories for tests of whatever follows the facts: numbers in, a history that deciders could have written out. Every kind of fact
 * occurs; the same numbers give the same history, so a property test can shrink it.
 */
import type { Conditions } from '../conditions.ts';
import { systemActor } from '../facts/envelope.ts';
import type { FactDraft, FactType } from '../facts/fact.ts';
import { type LoggedFact, sealAppend } from '../facts/log-entry.ts';
import type { RoleRules } from '../facts/role.ts';
import type {
  CredentialId,
  EndpointId,
  GrantId,
  GroupId,
  HoldId,
  ObjectId,
  ObjectSubject,
  PrincipalId,
  RoleName,
  ServiceName,
  SubjectId,
} from '../ids.ts';
import { lifeData } from './life/histories-of-life.ts';
import { type Grant, Organisation } from './organisation.ts';

/** A UUIDv7 in form: the n-th of a history. */
export const nthId = (n: number): string => `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const time = '2026-03-02T09:00:00.000Z';

/** A draft as a room would write it; `n` makes its id. */
export const draftOf = <Type extends FactType>(
  n: number,
  type: Type,
  data: Extract<FactDraft, { type: Type }>['data'],
): FactDraft =>
  ({
    id: nthId(n),
    source: '/postern/history',
    type,
    time,
    recordedtime: time,
    correlationid: nthId(n),
    ...systemActor('history'),
    data,
  }) as unknown as FactDraft;

export const people = ['ann', 'bob', 'cat', 'dan', 'eve'].map((name) => `user:${name}` as PrincipalId);
export const machines = ['ci', 'cron'].map((name) => `workload:${name}` as PrincipalId);
export const teams = ['hr', 'pay', 'all', 'ops'].map((name) => `group:${name}` as GroupId);
export const roleNames = ['reader', 'writer', 'keeper'] as RoleName[];
const services = ['payroll', 'people'] as ServiceName[];
const keys = ['key1', 'key2', 'key3'].map((name) => `credential:${name}` as CredentialId);
/** Of the example type in gate.zed. */
export const objectIds = ['1', '2', '3'].map((id) => `employee:${id}` as ObjectId);
export const operations = ['list', 'read', 'change', 'erase'];
export const endpointIds = services.flatMap((service) => operations.map((name) => `${service}/${name}` as EndpointId));

/** Undefined is an unconditional grant. */
const conditionSets: readonly (Conditions | undefined)[] = [
  undefined,
  undefined,
  {},
  { cidrs: ['10.0.0.0/8'] },
  { cidrs: ['2001:db8::/32', '192.168.0.0/16'] },
  { countries: ['DE'] },
  { countries: ['DE'], cidrs: ['10.0.0.0/8'] },
  { from: '2026-01-01T00:00:00Z', until: '2026-07-01T00:00:00Z' },
  { acr: ['gold', 'silver'] },
  { amr: ['hwk', 'pin'] },
  { hours: { tz: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: 540, to: 1020 } },
];
const allowances: RoleRules['allows'] = [
  ...services.flatMap((service) => (['read', 'write', 'admin'] as const).map((access) => ({ service, access }))),
  ...endpointIds.map((endpoint) => ({ endpoint })),
  { object: 'employee:*', permission: 'view' },
  { object: 'employee:1', permission: 'view' },
];

export type Choices = readonly number[];
type Chooser = { readonly below: (limit: number) => number; readonly of: <Item>(items: readonly Item[]) => Item };

const chooser = (choices: Choices): Chooser => {
  let at = 0;
  const below = (limit: number): number => Math.abs(Math.trunc(choices[at++ % choices.length] ?? 0)) % limit;
  return {
    below,
    of: <Item>(items: readonly Item[]) => {
      if (items.length === 0) throw new RangeError('nothing to choose from');
      return items[below(items.length)] as Item;
    },
  };
};

type Move = (choose: Chooser, organisation: Organisation, n: number) => FactDraft | undefined;

const some = <Item>(choose: Chooser, items: readonly Item[]): Item[] => {
  const first = choose.of(items);
  return choose.below(2) === 0 ? [first] : [...new Set([first, choose.of(items)])];
};
const attributesOf = (choose: Chooser) => ({ department: choose.of(['hr', 'pay', 'sales']) });
const anyone = (choose: Chooser): PrincipalId => choose.of([...people, ...machines]);
const isActive = (organisation: Organisation, principal: PrincipalId) =>
  organisation.principals.get(principal)?.state === 'active';
const ended = (grant: Grant) => ({ grant: grant.id, subject: grant.subject, role: grant.role });
const holderFor = (choose: Chooser, organisation: Organisation): SubjectId | undefined => {
  const groups = teams.filter((team) => organisation.groups.has(team)).map((team) => `${team}#member` as SubjectId);
  const holders = [
    ...[...people, ...machines].filter((each) => isActive(organisation, each)),
    ...organisation.credentials.keys(),
    ...groups,
  ];
  return holders.length === 0 ? undefined : choose.of<SubjectId>(holders);
};

const moves: readonly Move[] = [
  (choose, organisation, n) => {
    const principal = anyone(choose);
    if (isActive(organisation, principal)) return undefined;
    return draftOf(n, 'postern.principal.joined.v1', { principal, attributes: attributesOf(choose) });
  },
  (choose, organisation, n) => {
    const principal = anyone(choose);
    const before = organisation.principals.get(principal);
    if (before?.state !== 'active') return undefined;
    return draftOf(n, 'postern.principal.moved.v1', {
      principal,
      before: before.attributes,
      after: attributesOf(choose),
    });
  },
  (choose, organisation, n) => {
    const principal = anyone(choose);
    if (!isActive(organisation, principal) || choose.below(3) > 0) return undefined;
    return draftOf(n, 'postern.principal.left.v1', { principal });
  },
  (choose, { groups }, n) => {
    const group = choose.of(teams);
    const absent = anyone(choose);
    const add = groups.direct(group).has(absent) ? [] : [absent];
    return draftOf(n, 'postern.group.claimed.v1', { group, add, remove: [] });
  },
  (choose, { objects }, n) => {
    const data = {
      object: choose.of(objectIds),
      relation: 'manager',
      subject: choose.of<string>(people) as ObjectSubject,
    };
    const { object, relation, subject } = data;
    if (objects.has({ resource: object, relation, subject })) return undefined;
    return draftOf(n, 'postern.object.claimed.v1', { ...data, is: choose.of(['related', 'unrelated'] as const) });
  },
  (choose, _, n) => draftOf(n, 'postern.session.revoked.v1', { principal: anyone(choose), before: time }),
  (choose, { groups }, n) => {
    const group = choose.of(teams);
    const wanted = [...some(choose, [...people, ...machines]), ...(choose.below(2) === 0 ? [choose.of(teams)] : [])];
    const add = wanted.filter((member) => !groups.wouldCycle(group, member));
    const direct = [...groups.direct(group)];
    const remove = direct.length > 0 && choose.below(2) === 0 ? [choose.of(direct)] : [];
    return draftOf(n, 'postern.group.changed.v1', { group, add: add.filter((each) => !remove.includes(each)), remove });
  },
  (choose, { groups }, n) => {
    const group = choose.of(teams);
    if (!groups.has(group) || choose.below(3) > 0) return undefined;
    return draftOf(n, 'postern.group.deleted.v1', { group });
  },
  (choose, { roles }, n) => {
    const role = choose.of(roleNames);
    const [before, rules] = [roles.get(role), { allows: some(choose, allowances) }];
    return before === undefined
      ? draftOf(n, 'postern.role.defined.v1', { role, rules })
      : draftOf(n, 'postern.role.changed.v1', { role, before, rules });
  },
  (choose, { roles }, n) => {
    const role = choose.of(roleNames);
    if (!roles.has(role) || choose.below(4) > 0) return undefined;
    return draftOf(n, 'postern.role.retired.v1', { role });
  },
  ...Array.from(
    { length: 4 },
    (): Move => (choose, organisation, n) => {
      const [role, subject] = [choose.of(roleNames), holderFor(choose, organisation)];
      if (!organisation.roles.has(role) || subject === undefined) return undefined;
      const conditions = choose.of(conditionSets);
      return draftOf(n, 'postern.grant.issued.v1', {
        grant: nthId(n) as GrantId,
        subject,
        role,
        ...(conditions && { conditions }),
        origin: 'direct',
        reason: 'a test',
      });
    },
  ),
  (choose, { grants }, n) => {
    if (grants.size === 0) return undefined;
    return draftOf(n, 'postern.grant.revoked.v1', { ...ended(choose.of([...grants.values()])), reason: 'a test' });
  },
  (choose, { grants }, n) => {
    if (grants.size === 0) return undefined;
    return draftOf(n, 'postern.grant.expired.v1', { ...ended(choose.of([...grants.values()])), until: time });
  },
  (choose, organisation, n) => {
    const active = people.filter((each) => isActive(organisation, each));
    const inTeam = teams.filter((team) => organisation.groups.has(team)).map((team) => `${team}#member`);
    const [relation, subjects] =
      choose.below(3) === 0 ? (['self_service', active] as const) : (['manager', [...active, ...inTeam]] as const);
    if (subjects.length === 0) return undefined;
    const related = { object: choose.of(objectIds), relation, subject: choose.of<string>(subjects) as ObjectSubject };
    return draftOf(n, 'postern.object.related.v1', related);
  },
  (choose, { objects }, n) => {
    if (objects.size === 0) return undefined;
    const { resource, relation, subject } = choose.of([...objects.all()]);
    const unrelated = { object: resource as ObjectId, relation, subject: subject as ObjectSubject };
    return draftOf(n, 'postern.object.unrelated.v1', unrelated);
  },
  (choose, organisation, n) => {
    const [credential, owner] = [choose.of(keys), anyone(choose)];
    if (organisation.credentials.has(credential) || !isActive(organisation, owner)) return undefined;
    const digest = String(n).padStart(43, 'k');
    return draftOf(n, 'postern.credential.issued.v1', { credential, owner, digest });
  },
  (choose, _, n) =>
    draftOf(n, 'postern.subject.erased.v1', { subject: choose.of(people), texts: {}, profile: false, reason: 'r' }),
  (choose, _, n) =>
    draftOf(n, 'postern.hold.placed.v1', { hold: nthId(n) as HoldId, on: { subject: choose.of(people) }, reason: 'r' }),
  (choose, { privacy }, n) => {
    const hold = privacy.holds.size === 0 ? (nthId(n) as HoldId) : choose.of([...privacy.holds.keys()]);
    return draftOf(n, 'postern.hold.lifted.v1', { hold, reason: 'r' });
  },
  (_, __, n) => draftOf(n, 'postern.retention.applied.v1', { facts: 'forever', decisions: '400d' }),
  (_, __, n) =>
    draftOf(n, 'postern.retention.pruned.v1', {
      log: 'decisions',
      from: 0,
      before: 256,
      until: time,
      root: '',
      policy: '400d',
    }),
  (choose, { credentials }, n) => {
    if (credentials.size === 0) return undefined;
    return draftOf(n, 'postern.credential.revoked.v1', { credential: choose.of([...credentials.keys()]) });
  },
  (choose, _, n) => {
    const service = choose.of(services);
    const endpoints = operations
      .filter(() => choose.below(4) > 0)
      .map((name) => ({
        id: `${service}/${name}` as EndpointId,
        method: 'GET' as const,
        template: `/${name}`,
        access: choose.of(['read', 'write', 'admin'] as const),
      }));
    return draftOf(n, 'postern.routes.published.v1', {
      service,
      mount: `/${service}`,
      endpoints,
      part: 1,
      parts: 1,
      digest: 'none',
    });
  },
  ...Array.from(
    { length: 2 },
    (): Move =>
      (choose, { grants, credentials }, n) => {
        const credential = credentials.size === 0 ? keys[0] : choose.of([...credentials.keys()]);
        const grant = grants.size === 0 ? nthId(n) : choose.of([...grants.keys()]);
        const before = nthId(Math.max(1, n - 1 - choose.below(4)));
        const all = Object.entries(
          lifeData(
            nthId(n),
            before,
            choose.of(people),
            choose.of(roleNames),
            grant as GrantId,
            credential as CredentialId,
            time,
          ),
        ) as [FactType, never][];
        const [type, data] = choose.of(all);
        return draftOf(n, type, data);
      },
  ),
  (_, __, n) => draftOf(n, 'postern.enforcement.reached.v1', { reached: 1, proxies: 0, lapsed: [] }),
  (_, __, n) => draftOf(n, 'postern.enforcement.late.v1', { reached: 1, waitingFor: ['proxy-1'] }),
  (_, __, n) =>
    draftOf(n, 'postern.audit.read.v1', { what: 'facts', query: {}, readings: 1, rows: 2, first: time, last: time }),
  (_, __, n) => draftOf(n, 'postern.logging.started.v1', { facts: 0, decisions: 0, instance: 'i' }),
  (_, __, n) => draftOf(n, 'postern.logging.stopped.v1', { facts: 1, decisions: 1, instance: 'i' }),
  (_, __, n) => draftOf(n, 'postern.logging.degraded.v1', { instance: 'i', since: time, why: ['w'] }),
  (choose, { credentials }, n) => {
    if (credentials.size === 0) return undefined;
    const { id, owner } = choose.of([...credentials.values()]);
    return draftOf(n, 'postern.credential.expiring.v1', { credential: id, owner, until: time });
  },
  (_, __, n) => draftOf(n, 'postern.event.quarantined.v1', { from: 'f', position: '1', why: 'w', digest: 'd' }),
  (_, { inbox }, n) => {
    const [quarantined] = inbox.quarantined.keys();
    if (quarantined === undefined) return undefined;
    return draftOf(n, 'postern.event.released.v1', { quarantined, outcome: 'applied' });
  },
  (choose, _, n) =>
    draftOf(n, 'postern.event.scheduled.v1', {
      due: time,
      event: { source: '/hr', id: String(n), type: 'postern.person.left.v1', subject: choose.of(people), data: {} },
    }),
  (_, { inbox }, n) => {
    const [scheduled] = inbox.scheduled.keys();
    if (scheduled === undefined) return undefined;
    return draftOf(n, 'postern.event.unscheduled.v1', { scheduled, outcome: 'enacted' });
  },
  (_, __, n) => draftOf(n, 'postern.event.noted.v1', { type: 'postern.person.left.v1', why: 'it is so already' }),
  (choose, _, n) => {
    const claim = { kind: 'moved' as const, attributes: { department: 'pay' } };
    return draftOf(n, 'postern.principal.claimed.v1', { principal: choose.of(people), claim });
  },
];

/** The history that the choices lead to, sealed as one log from its beginning; `schema` is published first where given. */
export const history = (choices: readonly Choices[], schema?: string): LoggedFact[] => {
  const organisation = new Organisation();
  const entries: LoggedFact[] = [];
  const add = (draft: FactDraft): void => {
    for (const entry of sealAppend(organisation.sequence, [draft])) {
      const { fact } = entry;
      if (fact === undefined) continue;
      organisation.apply({ ...entry, fact });
      entries.push(entry);
    }
  };
  if (schema !== undefined)
    add(draftOf(1, 'postern.schema.published.v1', { text: schema, part: 1, parts: 1, digest: 'none' }));
  for (const each of choices) {
    const choose = chooser(each.length > 0 ? each : [0]);
    // Where the chosen move has nothing to act on, the next one that has is taken.
    const first = choose.below(moves.length);
    let draft: FactDraft | undefined;
    for (let at = 0; at < moves.length && draft === undefined; at++)
      draft = moves[(first + at) % moves.length]?.(choose, organisation, organisation.sequence + 1);
    if (draft !== undefined) add(draft);
  }
  return entries;
};
