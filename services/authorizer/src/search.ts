/** Who may call an endpoint, and what a subject may call: asked of the engine, complete, at one place of the log. */
import type { Found, Relationships } from '@postern/relationships';
import {
  type CredentialId,
  EndpointId,
  type Organisation,
  type PrincipalId,
  Problem,
  type Sequence,
} from '@postern/schemas';
import { findEndpoint } from './explain.ts';
import type { Projection } from './projection.ts';

export type SearchDeps = {
  readonly engine: Pick<Relationships, 'check' | 'subjects' | 'resources'>;
  readonly projection: Pick<Projection, 'reached' | 'organisation' | 'notReady'>;
};

export type Who = {
  readonly endpoint: EndpointId;
  readonly sequence: Sequence;
  readonly complete: true;
  /** Anybody may call it, without a credential. */
  readonly public: boolean;
  readonly subjects: readonly { readonly subject: string; readonly conditional: boolean }[];
};
export type What = {
  readonly subject: string;
  readonly sequence: Sequence;
  readonly complete: true;
  readonly endpoints: readonly { readonly endpoint: string; readonly conditional: boolean }[];
};

export const reachedOrRefuse = (projection: Pick<Projection, 'reached' | 'notReady'>) => {
  const reached = projection.reached();
  if (reached !== undefined) return reached;
  throw new Problem('authorizer/behind', { detail: projection.notReady()[0] ?? 'it has not begun' });
};

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const who = async ({ engine, projection }: SearchDeps, endpoint: EndpointId): Promise<Who> => {
  const { sequence, zookie } = reachedOrRefuse(projection);
  const organisation = projection.organisation();
  const declared = findEndpoint(organisation, endpoint);
  // "Nobody" would be true of a misspelt name too, and read as good news.
  if (declared === undefined)
    throw new Problem('authorizer/bad-question', {
      detail: `no published service declares ${endpoint}`,
      fix: 'Check its spelling against the routes, or publish them.',
    });
  const found = new Map<string, boolean>();
  const query = { resource: `endpoint:${endpoint}`, permission: 'call' };
  for (const subjectType of ['user', 'workload'])
    for await (const { id, conditional } of engine.subjects({ ...query, subjectType }, zookie))
      found.set(`${subjectType}:${id}`, conditional);
  // A credential may do what both itself and its owner may.
  for await (const { id, conditional } of engine.subjects({ ...query, subjectType: 'credential' }, zookie)) {
    const owner = organisation.credentials.get(`credential:${id}` as CredentialId)?.owner;
    const owners = owner === undefined ? undefined : found.get(owner);
    if (owners !== undefined) found.set(`credential:${id}`, conditional || owners);
  }
  return {
    endpoint,
    sequence,
    complete: true,
    public: declared.public === true,
    subjects: [...found].sort(([a], [b]) => byName(a, b)).map(([subject, conditional]) => ({ subject, conditional })),
  };
};

export const what = async ({ engine, projection }: SearchDeps, subject: PrincipalId | CredentialId): Promise<What> => {
  const { sequence, zookie } = reachedOrRefuse(projection);
  const endpointsOf = (each: string) =>
    Array.fromAsync(engine.resources({ subject: each, permission: 'call', resourceType: 'endpoint' }, zookie));
  const links = linksOf(projection.organisation(), subject);
  const each = await Promise.all(links.map(endpointsOf));
  const both = each.reduce((left, right) => intersection(left, right));
  return {
    subject,
    sequence,
    complete: true,
    endpoints: both
      .map(({ id, conditional }) => ({ endpoint: id, conditional }))
      .sort((a, b) => byName(a.endpoint, b.endpoint)),
  };
};

const intersection = (left: readonly Found[], right: readonly Found[]): Found[] => {
  const conditions = new Map(right.map(({ id, conditional }) => [id, conditional]));
  return left.flatMap(({ id, conditional }) => {
    const other = conditions.get(id);
    return other === undefined ? [] : [{ id, conditional: conditional || other }];
  });
};

/** Whose permissions a subject's decision is the intersection of. An unknown credential has no owner, and so nothing. */
export const linksOf = (
  organisation: Organisation,
  subject: PrincipalId | CredentialId,
): readonly (PrincipalId | CredentialId)[] => {
  if (!subject.startsWith('credential:')) return [subject];
  const owner = organisation.credentials.get(subject as CredentialId)?.owner;
  if (owner === undefined) throw new Problem('authorizer/bad-question', { detail: `no credential ${subject} is live` });
  return [subject, owner];
};

export const parseEndpoint = (text: string): EndpointId => {
  const endpoint = EndpointId.safeParse(text);
  if (endpoint.success) return endpoint.data;
  throw new Problem('authorizer/bad-question', {
    detail: `"${text}" is not an endpoint`,
    fix: 'Write SERVICE/OPERATION.',
  });
};
