/** Would the engine take this schema, with everything that is live and everything that the gate will ever write? Asked of an empty engine of its own. */
import type { Relationships } from '@postern/relationships';
import { beginning, next, type Relationship } from '@postern/schemas';

/** Rejects with `authorizer/schema-refused` or `authorizer/relationship-refused`. */
export type CheckSchema = (schema: string, relationships: readonly Relationship[]) => Promise<void>;

/** `open` gives an empty engine; it is closed again after each check. */
export const schemaCheck =
  (open: () => Promise<Relationships>): CheckSchema =>
  async (schema, relationships) => {
    await using engine = await open();
    await engine.writeSchema(schema);
    await engine.project({
      from: beginning,
      to: next(beginning),
      updates: relationships.map((relationship) => ({ operation: 'touch', relationship })),
      facts: [],
      actor: 'schema-check',
    });
  };

const always = [{ cidrs: ['192.0.2.0/24'] }];
const holders = ['user:u', 'workload:w', 'credential:c', 'group:g#member'];

/** What grants, keys, groups, roles and routes become: a schema that cannot hold one of these would stop the projection later. */
export const gateShapes: readonly Relationship[] = [
  ...holders.flatMap((subject, at) => [
    { resource: `role:plain${at}`, relation: 'holder', subject },
    { resource: `role:conditional${at}`, relation: 'holder', subject, anyOf: always },
  ]),
  ...['user:u', 'workload:w'].flatMap((subject) => [
    { resource: 'group:g', relation: 'member', subject },
    { resource: 'credential:c', relation: 'owner', subject },
  ]),
  ...['reader', 'writer', 'administrator'].map((relation) => ({
    resource: 'service:svc',
    relation,
    subject: 'role:plain0#holder',
  })),
  { resource: 'endpoint:svc/e', relation: 'caller', subject: 'role:plain0#holder' },
  ...['reads', 'writes', 'administers'].map((relation) => ({
    resource: 'endpoint:svc/e',
    relation,
    subject: 'service:svc',
  })),
];

const typeOf = (object: string): string => object.slice(0, object.indexOf(':'));
const relationOf = (subject: string): string => subject.slice(subject.indexOf('#') + 1 || subject.length);

/** The engine refuses by type and relation, so one relationship stands for all that are alike. */
export const oneOfEachShape = (relationships: Iterable<Relationship>): Relationship[] => {
  const shapes = new Map<string, Relationship>();
  for (const relationship of relationships) {
    const { resource, relation, subject, anyOf, caveat } = relationship;
    const caveats = caveat?.name ?? (anyOf === undefined ? '' : 'holds');
    shapes.set(`${typeOf(resource)}#${relation}@${typeOf(subject)}#${relationOf(subject)}[${caveats}`, relationship);
  }
  return [...shapes.values()];
};
