/** What is given, brought onto the bench: through the deciders, so that a scenario the live system would refuse is refused here. */
import { createHash } from 'node:crypto';
import {
  type FactDraft,
  type GrantId,
  type PrincipalId,
  type Problem,
  type RoleName,
  type SubjectId,
  systemActor,
} from '@postern/schemas';
import type { ZedSchema } from '@postern/schemas/zed';
import type { FoldedModel } from '../folded-model.ts';
import type { Finding } from '../report/finding.ts';
import type { Given } from './given.ts';
import type { Placed } from './reading.ts';

type Told = (given: Given) => Problem | { readonly what: string; readonly fix?: string } | undefined;

export const setStage = (
  folded: FoldedModel,
  given: readonly Placed<Given>[],
  at: string,
  schema: ZedSchema,
): Finding[] => {
  const findings: Finding[] = [];
  // Whoever is spoken of has joined, unless a sentence says how.
  const joining = new Set(given.flatMap(({ sentence }) => (sentence.kind === 'joined' ? [sentence.principal] : [])));
  const arrive = (subject: string): void => {
    if (!/^(user|workload):/.test(subject) || joining.has(subject as PrincipalId)) return;
    if (!folded.organisation.principals.has(subject as PrincipalId))
      folded.tell({ kind: 'join', principal: subject as PrincipalId, attributes: {} }, at);
  };
  const told: Told = (sentence) => {
    switch (sentence.kind) {
      case 'joined':
        return folded.tell({ kind: 'join', principal: sentence.principal, attributes: sentence.attributes }, at);
      case 'left':
        arrive(sentence.principal);
        return folded.tell({ kind: 'leave', principal: sentence.principal }, at);
      case 'has':
        for (const member of sentence.members) arrive(member);
        return folded.tell({ kind: 'change-group', group: sentence.group, add: sentence.members, remove: [] }, at);
      case 'holds':
        arrive(sentence.subject);
        return folded.tell(
          {
            kind: 'issue-grant',
            subject: sentence.subject,
            role: sentence.role,
            conditions: sentence.conditions,
            reason: 'given',
          },
          at,
        );
      case 'key':
        arrive(sentence.owner);
        return folded.tell(
          {
            kind: 'issue-key',
            credential: sentence.credential,
            owner: sentence.owner,
            digest: createHash('sha256').update(sentence.credential).digest('base64url'),
            roles: sentence.roles,
            until: sentence.until,
            reason: 'given',
          },
          at,
        );
      case 'related': {
        // The same refusal as the deciders', with the types that would do.
        const { object, relation, subject } = sentence;
        const why = unknownRelationship({ resource: object, relation, subject }, schema);
        if (why !== undefined) return why;
        arrive(subject);
        return folded.tell({ kind: 'relate-object', object, relation, subject, reason: 'given' }, at);
      }
    }
  };
  // Joiners first, then groups, then what they hold: a file may tell it in the order that reads best.
  const order = { joined: 0, has: 1, key: 2, holds: 3, related: 4, left: 5 } as const;
  const sorted = [...given].sort((a, b) => order[a.sentence.kind] - order[b.sentence.kind]);
  for (const { sentence, text, file, line } of sorted) {
    const refusal = told(sentence);
    if (refusal === undefined) continue;
    const what = 'what' in refusal ? refusal.what : (refusal.detail ?? refusal.message);
    const fix = refusal.fix;
    findings.push({
      rule: 'assertion/given',
      level: 'error',
      file,
      line,
      what: `"${text}" is refused: ${what}`,
      ...(fix !== undefined && { fix }),
    });
  }
  return findings;
};

/** Why the schema has no place for the relationship; undefined where it has. */
export const unknownRelationship = (
  { resource, relation, subject }: { readonly resource: string; readonly relation: string; readonly subject: string },
  { definitions }: ZedSchema,
): { readonly what: string; readonly fix?: string } | undefined => {
  const type = resource.slice(0, resource.indexOf(':'));
  const definition = definitions.find(({ name }) => name === type);
  if (definition === undefined)
    return { what: `the schema has no ${type}`, fix: `it has ${definitions.map(({ name }) => name).join(', ')}` };
  const own = definition.relations.find(({ name }) => name === relation);
  if (own === undefined)
    return {
      what: `${type} has no relation ${relation}`,
      fix: `it has ${definition.relations.map(({ name }) => name).join(', ') || 'none'}`,
    };
  const [object = '', through] = subject.split('#');
  const wanted = `${object.slice(0, object.indexOf(':'))}${through === undefined ? '' : `#${through}`}`;
  const takes = own.allows.map((each) => `${each.type}${each.relation === undefined ? '' : `#${each.relation}`}`);
  return takes.includes(wanted)
    ? undefined
    : { what: `${type}#${relation} does not take ${wanted}`, fix: `it takes ${[...new Set(takes)].join(', ')}` };
};

/** Somebody who holds one role, without conditions, and nothing else: how an assertion about a role is asked. */
export const roleProbe = (folded: FoldedModel, role: RoleName): PrincipalId => {
  const principal = `workload:postern-check/${role}` as PrincipalId;
  if (folded.organisation.principals.has(principal)) return principal;
  folded.tell({ kind: 'join', principal, attributes: {} });
  const id = probeId(role);
  const data = {
    grant: id as GrantId,
    subject: principal as SubjectId,
    role,
    origin: 'direct' as const,
    reason: 'asked',
  };
  const time = '2026-01-01T00:00:00Z';
  const draft = {
    id,
    source: '/postern/modelling',
    type: 'postern.grant.issued.v1',
    time,
    recordedtime: time,
    correlationid: id,
    ...systemActor('modelling'),
    data,
  };
  // Not through the deciders: a maximum duration would refuse a grant without an end, and it is no part of the question.
  folded.fold([draft as FactDraft]);
  return principal;
};
export const isProbe = (principal: string): boolean => principal.startsWith('workload:postern-check/');

/** A UUIDv7 in form, of the role's name. */
const probeId = (role: string): string => {
  const hex = createHash('sha256').update(role).digest('hex');
  return `01890001-${hex.slice(0, 4)}-7${hex.slice(4, 7)}-8${hex.slice(7, 10)}-${hex.slice(10, 22)}`;
};
