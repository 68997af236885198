/**
 * Two models over the same facts: who gains and who loses, by asking both for everybody and everything. An expression can widen
 * access without any relationship changing, and the engine takes such a change without a word.
 */
import type { CheckItem } from '@postern/relationships';
import type { CredentialId, Relationship } from '@postern/schemas';
import { parseZed } from '@postern/schemas/zed';
import { isProbe } from '../assertions/stage.ts';
import type { FoldedModel } from '../folded-model.ts';
import { kinOf } from './subjects.ts';

/** Unconditionally, under conditions, or not. */
export type Access = 'allowed' | 'conditional' | 'refused';
export type Change = {
  /** `payroll/getEmployee`, or `employee:42#view` */
  readonly target: string;
  readonly before: Access;
  readonly after: Access;
  readonly subjects: readonly string[];
};
export type Comparison = {
  readonly gains: readonly Change[];
  readonly loses: readonly Change[];
  /** Pairs of subject and target that were compared, and how many there are: fewer only where `questionsMax` cut it. */
  readonly compared: number;
  readonly pairs: number;
  /** Questions it took, of each model. */
  readonly asked: number;
};

const rank: Readonly<Record<Access, number>> = { refused: 0, conditional: 1, allowed: 2 };

type Target = {
  readonly name: string;
  readonly resource: string;
  readonly permission: string;
  readonly public: [boolean, boolean];
};

export const compare = async (
  before: FoldedModel,
  after: FoldedModel,
  { questionsMax = 500_000 }: { readonly questionsMax?: number } = {},
): Promise<Comparison> => {
  await before.settle();
  await after.settle();
  const relationships = [...relationshipsOf(before), ...relationshipsOf(after)];
  const targets = targetsOf(before, after, relationships);
  const credentials = new Map([...before.organisation.credentials, ...after.organisation.credentials]);
  const people = [...after.organisation.principals.values(), ...before.organisation.principals.values()]
    .filter(({ state }) => state === 'active')
    .map(({ id }): string => id);
  const own = (folded: FoldedModel) => [...relationshipsOf(folded)];
  // Alike under both models; each model's relationships are told apart, as they may differ.
  const tagged = (tag: string, folded: FoldedModel) =>
    own(folded).map((each) => ({ ...each, relation: `${tag}${each.relation}` }));
  const kin = kinOf([...people, ...credentials.keys()], [...tagged('-', before), ...tagged('+', after)]);
  const pairs = kin.reduce((sum, { alike }) => sum + alike.length, 0) * targets.length;

  const changes: Change[] = [];
  let asked = 0;
  let compared = 0;
  for (const { subject, alike } of kin) {
    const links = credentials.has(subject as CredentialId)
      ? [subject, credentials.get(subject as CredentialId)?.owner ?? subject]
      : [subject];
    const questions = targets.length * links.length;
    if (asked + questions > questionsMax) continue;
    asked += questions;
    compared += alike.length * targets.length;
    const [was, is] = await Promise.all([access(before, 0, targets, links), access(after, 1, targets, links)]);
    for (const [n, { name }] of targets.entries()) {
      const [from, to] = [was[n] ?? 'refused', is[n] ?? 'refused'];
      if (from !== to) changes.push({ target: name, before: from, after: to, subjects: alike.map(spoken) });
    }
  }
  const merged = merge(changes);
  return {
    gains: merged.filter((change) => rank[change.after] > rank[change.before]),
    loses: merged.filter((change) => rank[change.after] < rank[change.before]),
    compared,
    pairs,
    asked,
  };
};

const relationshipsOf = ({ relationships }: FoldedModel): Iterable<Relationship> => relationships();

/** A probe is spoken of as the role that it holds. */
const spoken = (subject: string): string =>
  isProbe(subject) ? `role:${subject.slice('workload:postern-check/'.length)}` : subject;

const targetsOf = (before: FoldedModel, after: FoldedModel, relationships: readonly Relationship[]): Target[] => {
  const endpoints = [before, after].map(
    ({ organisation }) =>
      new Map(
        [...organisation.services.values()].flatMap(({ endpoints }) =>
          endpoints.map((each) => [each.id, each] as const),
        ),
      ),
  );
  const [were, are] = endpoints as [(typeof endpoints)[0], (typeof endpoints)[0]];
  const ids = [...new Set([...were.keys(), ...are.keys()])].sort();
  const schemas = [before, after].map(({ organisation }) => parseZed(organisation.schema ?? ''));
  const gate = new Set([
    'user',
    'workload',
    'group',
    'credential',
    'role',
    'service',
    'endpoint',
    'projection',
    'sequence',
    'object_permission',
  ]);
  const objects = [...new Set(relationships.map(({ resource }) => resource))].sort();
  return [
    ...ids.map(
      (id): Target => ({
        name: id,
        resource: `endpoint:${id}`,
        permission: 'call',
        public: [were.get(id)?.public === true, are.get(id)?.public === true],
      }),
    ),
    ...objects.flatMap((resource) => {
      const type = resource.slice(0, resource.indexOf(':'));
      if (gate.has(type)) return [];
      const permissions = schemas.flatMap(({ definitions }) =>
        definitions
          .filter(({ name }) => name === type)
          .flatMap((definition) => definition.permissions.map(({ name }) => name)),
      );
      return [...new Set(permissions)].map(
        (permission): Target => ({ name: `${resource}#${permission}`, resource, permission, public: [false, false] }),
      );
    }),
  ];
};

/** The least of what the links hold: a credential may do what both itself and its owner may. */
const access = async (
  { engine }: FoldedModel,
  side: 0 | 1,
  targets: readonly Target[],
  links: readonly string[],
): Promise<Access[]> => {
  const items = targets.flatMap(({ resource, permission }) =>
    links.map((subject): CheckItem => ({ resource, permission, subject })),
  );
  const verdicts = await engine.check(items);
  return targets.map((target, n) => {
    if (target.public[side]) return 'allowed';
    const own = verdicts
      .slice(n * links.length, (n + 1) * links.length)
      .map(
        ({ verdict }): Access => (verdict === 'has' ? 'allowed' : verdict === 'depends' ? 'conditional' : 'refused'),
      );
    return own.reduce((least, each) => (rank[each] < rank[least] ? each : least), 'allowed');
  });
};

const merge = (changes: readonly Change[]): Change[] => {
  const merged = new Map<string, Change>();
  for (const change of changes) {
    const key = `${change.target} ${change.before} ${change.after}`;
    const known = merged.get(key);
    merged.set(key, known ? { ...known, subjects: [...known.subjects, ...change.subjects] } : change);
  }
  return [...merged.values()].map((change) => ({ ...change, subjects: [...new Set(change.subjects)].sort() }));
};
