/**
 * Which relationships of objects lead to a subject, with the facts behind them. Whether they do is the engine's to say; this reads
 * the published schema for people, along everything that adds to a permission: what stands behind a minus gives nothing.
 */
import type { Organisation, PrincipalId, RelationSource, Relationship, RoleName, SubjectId } from '@postern/schemas';
import { givingLeaves, givingRelations, parseZed, type ZedSchema } from '@postern/schemas/zed';

/** A relationship, and who told it. */
export type ObjectEdge = Relationship & Partial<RelationSource>;

/** The text is large and seldom another: read once a publication. */
const read = new WeakMap<Organisation, { readonly text: string; readonly schema: ZedSchema }>();
const schemaOf = (organisation: Organisation): ZedSchema => {
  const text = organisation.schema ?? '';
  const known = read.get(organisation);
  if (known?.text === text) return known.schema;
  const schema = parseZed(text);
  read.set(organisation, { text, schema });
  return schema;
};

/** Objects beyond this are not looked through for an explanation. */
const visitedMax = 2_000;

/** The shortest chain that is found; empty where none is: then the schema knows a way that this reading does not. */
export const wayThroughObjects = (
  organisation: Organisation,
  subject: string,
  { resource, permission }: { readonly resource: string; readonly permission: string },
): readonly ObjectEdge[] => {
  const { definitions } = schemaOf(organisation);
  const seen = new Set<string>();
  let open: { readonly resource: string; readonly name: string; readonly path: readonly ObjectEdge[] }[] = [
    { resource, name: permission, path: [] },
  ];
  while (open.length > 0 && seen.size < visitedMax) {
    const next: typeof open = [];
    for (const { resource: at, name, path } of open) {
      const key = `${at}#${name}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const definition = definitions.find((each) => each.name === typeOf(at));
      if (definition === undefined) continue;
      for (const edge of organisation.objects.on(at)) {
        if (edge.relation !== name) continue;
        const longer = [...path, { ...edge, ...organisation.objects.sourceOf(edge) }];
        if (standsIn(organisation, edge.subject, subject)) return longer;
        const [object = '', through] = edge.subject.split('#');
        if (through !== undefined) next.push({ resource: object, name: through, path: longer });
      }
      const own = definition.permissions.find((each) => each.name === name);
      if (own === undefined) continue;
      for (const leaf of givingLeaves(own.expression)) {
        if (leaf.kind === 'name') next.push({ resource: at, name: leaf.name, path });
        else
          for (const edge of organisation.objects.on(at))
            if (edge.relation === leaf.relation)
              next.push({
                resource: edge.subject,
                name: leaf.permission,
                path: [...path, { ...edge, ...organisation.objects.sourceOf(edge) }],
              });
      }
    }
    open = next;
  }
  return [];
};

/** The relations of the object that the permission rests on. */
export const relationsOf = (
  organisation: Organisation,
  { resource, permission }: { readonly resource: string; readonly permission: string },
): readonly string[] => givingRelations(schemaOf(organisation), typeOf(resource), permission);

const typeOf = (object: string): string => object.slice(0, object.indexOf(':'));

/** Is the subject the one that the relationship names, in its group, or a holder of its role? */
const standsIn = (organisation: Organisation, named: string, subject: string): boolean => {
  if (named === subject) return true;
  const groups = /^(user|workload):/.test(subject) ? [...organisation.groups.around(subject as PrincipalId)] : [];
  const holders = [subject as SubjectId, ...groups.map((group) => `${group}#member` as SubjectId)];
  if (holders.includes(named as SubjectId)) return true;
  const role = /^role:(.+)#holder$/.exec(named)?.[1] as RoleName | undefined;
  return (
    role !== undefined && holders.some((holder) => organisation.grantsOf(holder).some((grant) => grant.role === role))
  );
};
