/** Roles and routes that are no mistakes and yet not what anybody wants. Pure: on the model as it was read. */
import type { ModelPlaces } from '@postern/runtime';
import { type AccessClass, type Allowance, type Endpoint, posternRoles, type RoleName } from '@postern/schemas';
import type { ZedSchema } from '@postern/schemas/zed';
import type { Model } from '../folded-model.ts';
import type { Finding, Level, Rule } from '../report/finding.ts';

/** A class of access includes the smaller ones, as gate.zed says. */
const rank: Readonly<Record<AccessClass, number>> = { read: 0, write: 1, admin: 2 };

/** Does this allowance open the endpoint? An opaque endpoint has to be named. */
export const opens = (allowance: Allowance, service: string, endpoint: Endpoint): boolean => {
  if ('endpoint' in allowance) return allowance.endpoint === endpoint.id;
  if (!('service' in allowance) || endpoint.opaque === true) return false;
  return allowance.service === service && rank[endpoint.access] <= rank[allowance.access];
};

export type LintModelDeps = { readonly model: Model; readonly places: ModelPlaces; readonly schema: ZedSchema };

export const lintModel = ({ model, places, schema }: LintModelDeps): Finding[] => {
  const findings: Finding[] = [];
  const say = (
    rule: Rule,
    level: Level,
    place: { readonly file: string; readonly line: number },
    what: string,
    fix?: string,
  ): void => void findings.push({ rule, level, ...place, what, ...(fix !== undefined && { fix }) });
  lintRoles(model, places, say);
  lintRoutes(model, places, schema, say);
  return findings;
};

type Say = (
  rule: Rule,
  level: Level,
  place: { readonly file: string; readonly line: number },
  what: string,
  fix?: string,
) => void;

const lintRoles = ({ services, roles }: Model, places: ModelPlaces, say: Say): void => {
  const endpoints = services.flatMap(({ name, endpoints }) =>
    endpoints.map((endpoint) => ({ service: name, endpoint })),
  );
  for (const [role, { allows, birthright, separateFrom = [], approvers = [], maxDuration }] of roles) {
    const place = (...path: readonly PropertyKey[]) => places.role(role, ...path);
    const opened = (each: Allowance) => endpoints.filter(({ service, endpoint }) => opens(each, service, endpoint));
    for (const [n, each] of allows.entries()) {
      if (!('service' in each)) continue;
      const classes = new Set(opened(each).map(({ endpoint }) => endpoint.access));
      if (each.access === 'admin')
        say(
          'role/wide',
          'warning',
          place('allows', n),
          `${role} administers all of ${each.service}, now and whatever is added to it`,
          'name the endpoints, or give write access',
        );
      else if (each.access === 'write' && !classes.has('write') && services.some(({ name }) => name === each.service))
        say(
          'role/write-for-reads',
          'warning',
          place('allows', n),
          `${role} gives write access to ${each.service}, which has nothing to write`,
          'give read access',
        );
      else if (classes.size === 0 && services.some(({ name }) => name === each.service))
        say(
          'role/empty',
          'warning',
          place('allows', n),
          `${role}: ${each.service} has no endpoint of class ${each.access}`,
        );
    }
    for (const [n, each] of allows.entries()) {
      const covering = allows.findIndex(
        (other, m) => m !== n && includes(other, each, endpoints) && !(m > n && includes(each, other, endpoints)),
      );
      if (covering >= 0)
        say(
          'role/redundant',
          'warning',
          place('allows', n),
          `${role}: ${allowanceText(each)} is part of ${allowanceText(allows[covering] as Allowance)}`,
          'remove it',
        );
    }
    if (birthright !== undefined && maxDuration !== undefined)
      say(
        'role/unreachable',
        'warning',
        place('maxDuration'),
        `${role} is a birthright, which has no end, and is given for at most ${maxDuration}: the birthright does not keep to it`,
        'remove one of them',
      );
    for (const other of separateFrom) {
      if (other === role)
        say(
          'role/duties',
          'error',
          place('separateFrom'),
          `${role} is kept separate from itself: nobody may hold it twice`,
          'remove it',
        );
      const theirs = roles.get(other)?.birthright;
      if (birthright !== undefined && theirs !== undefined && role < other && compatible(birthright, theirs))
        say(
          'role/duties',
          'error',
          place('separateFrom'),
          `${role} and ${other} are kept separate, and somebody with ${attributesText({ ...birthright, ...theirs })} has both by birthright`,
          'let their birthrights exclude each other',
        );
      else if (
        birthright !== undefined &&
        theirs !== undefined &&
        !roles.get(other)?.separateFrom?.includes(role) &&
        compatible(birthright, theirs)
      )
        say(
          'role/duties',
          'error',
          place('separateFrom'),
          `${role} and ${other} are kept separate, and somebody with ${attributesText({ ...birthright, ...theirs })} has both by birthright`,
          'let their birthrights exclude each other',
        );
    }
    const opens_ = allows.flatMap(opened);
    for (const other of roles.keys())
      if (other > role || !(roles.get(other)?.separateFrom ?? []).includes(role)) {
        if (!separateFrom.includes(other)) continue;
        const wider = roles.get(other)?.allows ?? [];
        if (
          opens_.length > 0 &&
          opens_.every(({ service, endpoint }) => wider.some((each) => opens(each, service, endpoint)))
        )
          say(
            'role/duties',
            'warning',
            place('separateFrom'),
            `${role} is kept separate from ${other}, which opens everything that ${role} opens: the separation separates nothing`,
            `take what ${role} opens out of ${other}`,
          );
      }
    for (const approver of approvers) {
      const named = /^role:(.*)$/.exec(approver)?.[1];
      if (named === undefined && approver !== 'manager')
        say(
          'role/approver',
          'error',
          place('approvers'),
          `${role} is approved by "${approver}", which is no approver`,
          'write manager or role:NAME',
        );
      if (named !== undefined && !roles.has(named as RoleName) && !(named in posternRoles))
        say(
          'role/approver',
          'error',
          place('approvers'),
          `${role} is approved by ${approver}, which is no role here`,
          `roles: ${[...roles.keys()].join(', ')}`,
        );
      if (named === role)
        say(
          'role/approver',
          'warning',
          place('approvers'),
          `${role} is approved by those who hold it: the first one can never be`,
          'name another approver',
        );
    }
  }
};

type Pairs = readonly { readonly service: string; readonly endpoint: Endpoint }[];

/** Everything `inner` opens, `outer` opens too, whatever is added to the services later. */
const includes = (outer: Allowance, inner: Allowance, endpoints: Pairs): boolean => {
  if ('service' in inner)
    return 'service' in outer && outer.service === inner.service && rank[inner.access] <= rank[outer.access];
  if (!('endpoint' in inner)) return JSON.stringify(outer) === JSON.stringify(inner);
  return endpoints.some(({ service, endpoint }) => endpoint.id === inner.endpoint && opens(outer, service, endpoint));
};

export const allowanceText = (allowance: Allowance): string =>
  'service' in allowance
    ? `${allowance.access} on ${allowance.service}`
    : 'endpoint' in allowance
      ? allowance.endpoint
      : JSON.stringify(allowance);

type Attributes = Readonly<Record<string, string | undefined>>;
const compatible = (a: Attributes, b: Attributes): boolean =>
  Object.entries(a).every(([name, value]) => b[name] === undefined || b[name] === value);
const attributesText = (attributes: Attributes): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');

/** Paths under which one endpoint takes any operation in its body. */
const manyBehindOne = /(^|\/)(graphql|gql|rpc|jsonrpc|json-rpc|mcp|batch|\$batch|query|execute|invoke|soap)\/?$/i;

const lintRoutes = ({ services, roles }: Model, places: ModelPlaces, { definitions }: ZedSchema, say: Say): void => {
  const allowances = [...roles.values()].flatMap(({ allows }) => allows);
  for (const { name: service, endpoints } of services) {
    const closed = endpoints.filter(
      (endpoint) => endpoint.public !== true && !allowances.some((each) => opens(each, service, endpoint)),
    );
    if (closed.length === endpoints.length && endpoints.length > 0)
      say(
        'route/uncallable',
        'warning',
        places.config('services', service),
        `no role opens any of the ${endpoints.length} endpoints of ${service}`,
        `give a role { service: ${service}, access: read }`,
      );
    else
      for (const { id, access, opaque } of closed)
        say(
          'route/uncallable',
          'warning',
          places.endpoint(id),
          `no role opens ${id} (${opaque ? 'opaque' : access})`,
          `give a role { endpoint: ${id} }`,
        );
    for (const endpoint of endpoints) {
      const { id, method, template } = endpoint;
      if (endpoint.opaque === true)
        say(
          'route/opaque',
          'warning',
          places.endpoint(id),
          `${id} hides many operations and declares none: whoever may call it may do all of them`,
          'declare its operations',
        );
      else if (endpoint.operation === undefined && method === 'POST' && manyBehindOne.test(template))
        say(
          'route/opaque',
          'warning',
          places.endpoint(id),
          `${id} (POST ${template}) looks like one endpoint for many operations: whoever may call it may do all of them`,
          'declare its operations, or mark it opaque, so that only a role that names it opens it',
        );
      if (endpoint.public === true && endpoint.access !== 'read')
        say(
          'route/public',
          'warning',
          places.endpoint(id),
          `${id} changes something, and anybody may call it without a credential`,
          'remove public',
        );
      for (const rule of endpoint.objects ?? []) {
        const definition = definitions.find(({ name }) => name === rule.type);
        if (definition === undefined)
          say(
            'route/object',
            'error',
            places.endpoint(id),
            `${id} asks for ${rule.type}#${rule.permission}, and the schema has no ${rule.type}`,
            `define it, or name one of ${definitions.map(({ name }) => name).join(', ')}`,
          );
        else if (!definition.permissions.some(({ name }) => name === rule.permission))
          say(
            'route/object',
            'error',
            places.endpoint(id),
            `${id} asks for ${rule.type}#${rule.permission}, which is no permission of ${rule.type}`,
            `it has ${definition.permissions.map(({ name }) => name).join(', ') || 'none'}`,
          );
      }
    }
  }
};
