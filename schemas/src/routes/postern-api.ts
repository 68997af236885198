/**
 * Postern's own API, as a service like any other: behind the gate, with endpoints in the graph and roles of its own. Each room
 * serves its part; `room` says which.
 */
import type { Allowance, RoleRules } from '../facts/role.ts';
import type { RoleName } from '../ids.ts';
import { consoleOperations } from './console.ts';
import { Endpoint, type Service } from './endpoint.ts';
import { lifeOfAccessOperations, memberOperations } from './life-of-access.ts';
import { operation, type PosternOperation } from './postern-operation.ts';
import { privacyOperations } from './privacy-operations.ts';

export type { Room } from './postern-operation.ts';
export const posternMount = '/.postern';
export const posternService = 'postern';

export const posternOperations: readonly PosternOperation[] = [
  operation(
    'grants',
    'admin',
    'POST',
    '/grants',
    'issueGrant',
    'Give a role to a subject, under conditions and for a reason',
  ),
  operation('grants', 'read', 'GET', '/grants', 'listGrants', 'Live grants, by subject and role'),
  operation('grants', 'admin', 'DELETE', '/grants/{grant}', 'revokeGrant', 'Take a grant back'),
  operation('grants', 'read', 'GET', '/roles', 'listRoles', 'All roles'),
  operation('grants', 'read', 'GET', '/roles/{role}', 'getRole', 'One role'),
  operation('grants', 'admin', 'PUT', '/roles/{role}', 'putRole', 'Define or change a role'),
  operation('grants', 'admin', 'DELETE', '/roles/{role}', 'retireRole', 'Retire a role; whoever holds it loses it'),
  operation(
    'grants',
    'read',
    'GET',
    '/principals/{principal}',
    'getPrincipal',
    'A principal: state, attributes, groups, grants, keys',
  ),
  operation('grants', 'read', 'GET', '/keys', 'listKeys', 'Live API keys, by owner'),
  operation('grants', 'admin', 'POST', '/keys', 'issueKey', 'Issue an API key; its secret is shown once'),
  operation('grants', 'admin', 'DELETE', '/keys/{credential}', 'revokeKey', 'Revoke an API key'),
  operation(
    'grants',
    'admin',
    'POST',
    '/keys/{credential}/rotate',
    'rotateKey',
    'Issue the key that follows an API key; both work for the overlap',
  ),
  ...lifeOfAccessOperations,
  ...privacyOperations,
  operation('grants', 'admin', 'POST', '/events', 'ingestEvents', 'CloudEvents of HR and identity systems'),
  // SCIM 2.0. Its discovery documents tell nothing of anybody; everything else is for whoever provisions.
  ...(['ServiceProviderConfig', 'ResourceTypes', 'ResourceTypes/{id}', 'Schemas', 'Schemas/{id}'] as const).map(
    (path) =>
      operation(
        'grants',
        'read',
        'GET',
        `/scim/v2/${path}`,
        `scim${path.replace('/{id}', 'One')}`,
        `SCIM: what is supported (${path})`,
      ),
  ),
  ...(['User', 'Group'] as const).flatMap((kind) => [
    operation('grants', 'admin', 'GET', `/scim/v2/${kind}s`, `scimList${kind}s`, `SCIM: find ${kind}s`),
    operation('grants', 'admin', 'POST', `/scim/v2/${kind}s`, `scimCreate${kind}`, `SCIM: create a ${kind}`),
    operation(
      'grants',
      'admin',
      'POST',
      `/scim/v2/${kind}s/.search`,
      `scimSearch${kind}s`,
      `SCIM: find ${kind}s by POST`,
    ),
    operation('grants', 'admin', 'GET', `/scim/v2/${kind}s/{id}`, `scimGet${kind}`, `SCIM: one ${kind}`),
    operation('grants', 'admin', 'PUT', `/scim/v2/${kind}s/{id}`, `scimReplace${kind}`, `SCIM: replace a ${kind}`),
    operation('grants', 'admin', 'PATCH', `/scim/v2/${kind}s/{id}`, `scimPatch${kind}`, `SCIM: change a ${kind}`),
    operation('grants', 'admin', 'DELETE', `/scim/v2/${kind}s/{id}`, `scimDelete${kind}`, `SCIM: delete a ${kind}`),
  ]),
  operation('grants', 'admin', 'POST', '/scim/v2/.search', 'scimSearch', 'SCIM: find Users and Groups by POST'),
  operation('grants', 'admin', 'POST', '/scim/v2/Bulk', 'scimBulk', 'SCIM: many changes in one request'),
  // So that a client of SCIM hears of its mistake in SCIM's own words: 404, 405 or 501.
  ...(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).map((method) =>
    operation(
      'grants',
      'admin',
      method,
      '/scim/v2/{path+}',
      `scimOther${method}`,
      'SCIM: says that this is not served',
    ),
  ),
  operation('grants', 'admin', 'POST', '/events/{rule}', 'ingestForeign', 'Any JSON that a rule of feeds.yaml reads'),
  operation('grants', 'read', 'GET', '/feeds/scheduled', 'listScheduled', 'Events that are due later'),
  operation(
    'grants',
    'admin',
    'DELETE',
    '/feeds/scheduled/{id}',
    'cancelScheduled',
    'Cancel an event that is due later',
  ),
  operation(
    'grants',
    'read',
    'GET',
    '/feeds/quarantine',
    'listQuarantine',
    'Events that could not be applied, and why',
  ),
  operation('grants', 'admin', 'GET', '/feeds/quarantine/{id}', 'showQuarantined', 'One of them, with its content'),
  operation(
    'grants',
    'admin',
    'POST',
    '/feeds/quarantine/{id}/replay',
    'replayQuarantined',
    'Apply one of them as it came',
  ),
  operation(
    'grants',
    'admin',
    'POST',
    '/feeds/quarantine/{id}/fix',
    'fixQuarantined',
    'Apply other content in its place',
  ),
  operation('grants', 'admin', 'POST', '/feeds/quarantine/{id}/dismiss', 'dismissQuarantined', 'Give one of them up'),
  operation('grants', 'admin', 'POST', '/ssf/push', 'receiveSignals', 'Security events of a transmitter (RFC 8935)'),
  operation(
    'grants',
    'read',
    'GET',
    '/ssf/streams',
    'listSignalStreams',
    'Transmitters of security events, and how they are',
  ),
  operation(
    'grants',
    'admin',
    'POST',
    '/ssf/streams/{name}/verify',
    'verifySignalStream',
    'Ask a transmitter for a verification event, and wait for it',
  ),
  operation(
    'grants',
    'read',
    'GET',
    '/notices',
    'listNotices',
    'Who is told of what happens, and how far each has come',
  ),
  operation(
    'grants',
    'admin',
    'POST',
    '/notices/{name}/replay',
    'replayNotices',
    'Send a subscription everything from a sequence on again',
  ),
  operation('grants', 'admin', 'POST', '/notices/{name}/resume', 'resumeNotices', 'Try a subscription again now'),
  operation(
    'grants',
    'admin',
    'POST',
    '/notices/{name}/test',
    'testNotices',
    'Send a subscription a notice to try it out',
  ),
  operation('grants', 'read', 'GET', '/model', 'getModel', 'Schema, services and roles as they are live'),
  operation(
    'grants',
    'read',
    'GET',
    '/names',
    'findNames',
    'Find subjects, roles, services and endpoints by part of their names',
  ),
  operation(
    'grants',
    'read',
    'GET',
    '/enforcement',
    'getEnforcement',
    'Every proxy, what it enforces, and how long the last revocations took to reach it',
  ),
  operation('grants', 'admin', 'POST', '/model', 'publishModel', 'Publish schema, routes and roles, all or nothing'),
  operation('grants', 'read', 'GET', '/openapi.json', 'getOpenApi', 'This API as an OpenAPI document'),
  operation('authorizer', 'read', 'POST', '/access/v1/evaluation', 'evaluate', 'AuthZEN: one decision'),
  operation('authorizer', 'read', 'POST', '/access/v1/evaluations', 'evaluateMany', 'AuthZEN: many decisions'),
  operation('authorizer', 'read', 'POST', '/access/v1/search/subject', 'searchSubjects', 'AuthZEN: who may'),
  operation(
    'authorizer',
    'read',
    'POST',
    '/access/v1/search/resource',
    'searchResources',
    'AuthZEN: what may be reached',
  ),
  operation('authorizer', 'read', 'POST', '/access/v1/search/action', 'searchActions', 'AuthZEN: what may be done'),
  operation('authorizer', 'read', 'GET', '/can', 'can', 'Would this call be allowed, and why'),
  operation('authorizer', 'read', 'GET', '/who', 'who', 'Who may call an endpoint'),
  operation('authorizer', 'read', 'GET', '/what', 'what', 'What a subject may call'),
  operation(
    'authorizer',
    'read',
    'GET',
    '/relationships/digest',
    'digestRelationships',
    'A hash of all relationships that the engine holds',
  ),
  operation('audit', 'read', 'GET', '/audit/facts', 'findFacts', 'Facts, filtered, in pages'),
  operation('audit', 'read', 'GET', '/audit/decisions', 'findDecisions', 'Decisions, filtered, in pages'),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/decisions/live',
    'followDecisions',
    'Decisions as they are recorded, as server-sent events',
  ),
  operation('audit', 'read', 'GET', '/audit/pulse', 'getPulse', 'Decisions by minute, and refusals by cause'),
  operation('audit', 'read', 'GET', '/audit/as-of', 'asOf', 'Who could call what at any past moment, and what changed'),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/questions',
    'listQuestions',
    'The 25 questions of an auditor, and the clauses behind each',
  ),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/questions/{question}',
    'askQuestion',
    'One of the 25 questions, answered with evidence',
  ),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/export',
    'exportEvidence',
    'Facts, decisions or an answer as an evidence bundle',
  ),
  operation('audit', 'read', 'GET', '/audit/last-use', 'findLastUses', 'When each endpoint was last used, by whom'),
  operation('audit', 'read', 'GET', '/audit/proof/{sequence}', 'proveFact', 'The proof that a fact is in the record'),
  operation('audit', 'read', 'GET', '/audit/log/{log}/checkpoint', 'getCheckpoint', 'The signed head of a log'),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/log/{log}/vkey',
    'getVerifierKey',
    'The key that checkpoints are verified with',
  ),
  operation('audit', 'read', 'GET', '/audit/log/{log}/entry/{index}', 'getEntry', 'The verbatim bytes of one entry'),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/log/{log}/proof/{index}',
    'proveEntry',
    'The proof that an entry is in a log',
  ),
  operation('audit', 'read', 'GET', '/audit/log/{log}/tile/{path+}', 'getTile', 'C2SP tlog-tiles'),
  ...consoleOperations,
  operation(
    'audit',
    'read',
    'GET',
    '/audit/log/{log}/checkpoints',
    'listCheckpoints',
    'Every checkpoint that was ever signed, oldest first, a line for each',
  ),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/log/{log}/witnessed',
    'getWitnessedCheckpoint',
    'The newest checkpoint that enough witnesses have signed',
  ),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/log/{log}/consistency',
    'proveConsistency',
    'The proof that a log has only grown between two checkpoints',
  ),
];

/** The service as it is published. */
export const posternApi = (): Service => ({
  name: posternService,
  mount: posternMount,
  endpoints: posternOperations.map(({ operation: id, method, template, access, public: open }) =>
    Endpoint.parse({ id: `${posternService}/${id}`, method, template, access, ...(open && { public: open }) }),
  ),
});

const endpoints = (...names: readonly string[]): Allowance[] =>
  names.map((name) => ({ endpoint: `${posternService}/${name}` }) as Allowance);

/** The roles that the first start defines: enough to hand out the work, no more. */
export const posternRoles: Readonly<Record<string, RoleRules>> = {
  'postern-admin': {
    description: 'Everything in Postern itself',
    allows: [{ service: posternService, access: 'admin' } as Allowance],
  },
  'postern-auditor': {
    description: 'Reads the record, the roles and who may do what; changes nothing',
    allows: [{ service: posternService, access: 'read' } as Allowance],
  },
  'postern-feeder': {
    description: 'An HR or identity system: sends events and nothing else',
    allows: endpoints('ingestEvents', 'ingestForeign'),
  },
  'postern-signaller': {
    description: 'A transmitter of security events: pushes them and nothing else',
    allows: endpoints('receiveSignals'),
  },
  'postern-provisioner': {
    description: 'An identity system: provisions people and groups by SCIM and nothing else',
    allows: endpoints(
      ...posternOperations.map(({ operation: name }) => name).filter((name) => name.startsWith('scim')),
    ),
  },
  'postern-member': {
    description: 'Asks for roles, and answers what is theirs to answer: the rule of each role says what that is',
    allows: endpoints(...memberOperations),
  },
  'postern-asker': {
    description: 'An application that asks for decisions (AuthZEN)',
    allows: endpoints('evaluate', 'evaluateMany', 'searchSubjects', 'searchResources', 'searchActions'),
  },
} satisfies Record<string, RoleRules>;
export const posternAdmin = 'postern-admin' as RoleName;
