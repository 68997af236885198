/** A large organisation's years as facts: people who come and go, teams, grants that are given and taken back, what was enforced. */
import { type FactDraft, type FactType, gateSchema, systemActor } from '@postern/schemas';

export const shape = { people: 100_000, teams: 1_000, roles: 300, services: 20, endpointsEach: 50 } as const;

const id = (n: number): string => `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const startMs = Date.UTC(2020, 0, 1);
const stepMs = 150_000;
export const timeOf = (n: number): string => new Date(startMs + n * stepMs).toISOString();

const draft = (n: number, type: FactType, data: object): FactDraft =>
  ({
    id: id(n),
    source: '/postern/load',
    type,
    time: timeOf(n),
    recordedtime: timeOf(n),
    correlationid: id(n),
    ...systemActor('load'),
    data,
  }) as unknown as FactDraft;

export const person = (n: number): string => `user:p${n}`;
export const role = (n: number): string => `role-${n}`;
export const endpoint = (service: number, n: number): string => `service-${service}/operation${n}`;

/** Deterministic, so that a second run measures the same. */
const numbers = (): ((below: number) => number) => {
  let state = 42;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 4) % below;
  };
};

/** `count` facts in their order. */
export function* asOfHistory(count: number): Generator<FactDraft> {
  const below = numbers();
  let n = 0;
  const next = (type: FactType, data: object): FactDraft => draft(++n, type, data);
  yield next('postern.schema.published.v1', { text: gateSchema, part: 1, parts: 1, digest: 'none' });
  for (let service = 0; service < shape.services; service++) {
    const endpoints = Array.from({ length: shape.endpointsEach }, (_, at) => ({
      id: endpoint(service, at),
      method: 'GET',
      template: `/operation${at}`,
      access: (['read', 'write', 'admin'] as const)[at % 3],
    }));
    const [name, mount] = [`service-${service}`, `/service-${service}`];
    yield next('postern.routes.published.v1', { service: name, mount, endpoints, part: 1, parts: 1, digest: 'none' });
  }
  for (let at = 0; at < shape.roles; at++) {
    const named = { endpoint: endpoint(below(shape.services), below(shape.endpointsEach)) };
    const classed = { service: `service-${below(shape.services)}`, access: at % 10 === 0 ? 'write' : 'read' };
    yield next('postern.role.defined.v1', {
      role: role(at),
      rules: { allows: at % 4 === 0 ? [named, classed] : [named] },
    });
  }
  const live: { grant: string; subject: string; role: string }[] = [];
  const joined: number[] = [];
  for (let team = 0; team < shape.teams; team++) {
    const holding = { subject: `group:team-${team}#member`, role: role(below(shape.roles)) };
    yield next('postern.group.changed.v1', { group: `group:team-${team}`, add: [], remove: [] });
    yield next('postern.grant.issued.v1', {
      grant: id(n + 1),
      ...holding,
      origin: 'direct',
      reason: 'the team needs it',
    });
  }
  for (let people = 0; n < count; ) {
    const dice = below(100);
    if (people < shape.people && (dice < 12 || joined.length < 100)) {
      joined.push(people);
      yield next('postern.principal.joined.v1', {
        principal: person(people++),
        attributes: { department: `d${below(40)}` },
      });
      continue;
    }
    const somebody = person(joined[below(joined.length)] ?? 0);
    if (dice < 25)
      yield next('postern.group.changed.v1', {
        group: `group:team-${below(shape.teams)}`,
        add: [somebody],
        remove: [],
      });
    else if (dice < 45) {
      const grant = { grant: id(n + 1), subject: somebody, role: role(below(shape.roles)) };
      live.push(grant);
      yield next('postern.grant.issued.v1', {
        ...grant,
        origin: 'direct',
        reason: 'asked for in a ticket',
        ticket: `T-${n}`,
      });
    } else if (dice < 63 && live.length > 1_000) {
      const [last] = live.splice(-1, 1);
      const at = below(live.length);
      const ended = live[at];
      if (last !== undefined) live[at] = last;
      if (ended !== undefined) yield next('postern.grant.revoked.v1', { ...ended, reason: 'not needed any more' });
    } else if (dice < 65) yield next('postern.principal.left.v1', { principal: somebody });
    else yield next('postern.enforcement.reached.v1', { reached: Math.max(1, n - 1), proxies: 4, lapsed: [] });
  }
}
