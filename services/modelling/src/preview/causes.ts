/** Why a pair flips: the role, the route, the scope or the object rule that differs between the two models. */
import {
  type ObjectQuestion,
  type Organisation,
  objectText,
  opensEndpoint,
  opensObject,
  type PrincipalId,
  type RoleName,
  type SubjectId,
} from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import type { Ask } from './asking.ts';
import type { Asks, Cause, Flipped, Places, Side } from './flip.ts';
import type { Subject } from './use.ts';

type Opening = (allowance: Parameters<typeof opensEndpoint>[0]) => boolean;

export const causeFinder = ({
  live,
  here,
  places,
  asks,
}: {
  readonly live: FoldedModel;
  readonly here: FoldedModel;
  readonly places: Places;
  readonly asks: Asks;
}) => {
  const models = { live: live.organisation, here: here.organisation };
  const endpoints = { live: endpointsOf(models.live), here: endpointsOf(models.here) };
  const placed = (place: string | undefined) => (place === undefined ? {} : { place });

  /** Roles of one of the subjects that open something on the one side; those by which the other side differs, if any. */
  const roles = (subjects: readonly Subject[], wins: Side, loses: Side, opening: (side: Side) => Opening): Cause[] => {
    const causes: Cause[] = [];
    for (const subject of subjects) {
      const had = rolesOpening(models[wins], subject, opening(wins));
      const has = new Set(rolesOpening(models[loses], subject, opening(loses)));
      // Whoever holds another way on the losing side is not the one that is refused there.
      if (has.size > 0) continue;
      for (const role of had) {
        const stillOpens = models[loses].roles.get(role)?.allows.some(opening(loses)) === true;
        const what = stillOpens
          ? `the role ${role} is held ${when(wins)} and not ${when(loses)}`
          : `the role ${role} opens it ${when(wins)} and not ${when(loses)}`;
        if (!causes.some((each) => each.what === what))
          causes.push({ kind: 'role', role, what, ...placed(places.role(role)) });
      }
    }
    return causes;
  };

  const causesOf = (flipped: Flipped, refusedForObject: boolean): Cause[] => {
    const { first, direction } = flipped;
    const { pair, objects } = first.variant;
    const [wins, loses] = direction === 'allow-to-deny' ? (['live', 'here'] as const) : (['here', 'live'] as const);
    const causes: Cause[] = [];
    const place = pair.here === undefined ? undefined : places.endpoint(pair.here);
    if (pair.live !== pair.here)
      causes.push({
        kind: 'route',
        what: `the call goes to ${pair.here ?? 'no endpoint'} here, and to ${pair.live ?? 'none'} now`,
        ...placed(place),
      });
    if (pair[loses] === undefined) return causes;
    const lacks = pair.lacks[loses].filter((scope) => !pair.lacks[wins].includes(scope));
    if (lacks.length > 0)
      causes.push({
        kind: 'scope',
        what: `the endpoint asks for the scope ${lacks.join(' ')} ${when(loses)}, which the token was not delegated`,
        ...placed(place),
      });
    if (pair.lacks[loses].length > 0) return causes;
    if (refusedForObject) {
      const asked = new Set(objects[wins].map(objectText));
      for (const object of objects[loses]) {
        const rule = ruleOf(object);
        if (!asked.has(objectText(object)))
          causes.push({
            kind: 'object',
            what: `the endpoint asks for ${rule} ${when(loses)} and not ${when(wins)}`,
            ...placed(place),
          });
        else causes.push(...roles(pair.subjects, wins, loses, () => (each) => opensObject(each, object)));
      }
    } else
      causes.push(
        ...roles(pair.subjects, wins, loses, (side) => {
          const endpoint = pair[side];
          const found = endpoint === undefined ? undefined : endpoints[side].get(endpoint);
          const service = endpoint?.slice(0, endpoint.indexOf('/')) ?? '';
          return (each) => found !== undefined && opensEndpoint(each, service, found);
        }),
      );
    if (causes.length > 0) return causes;
    const what = refusedForObject
      ? `${[...new Set(objects[loses].map(ruleOf))].join(', ')} is given ${when(wins)} and not ${when(loses)}, by what the schema says`
      : `what the schema says ${when(wins)}, or a condition that is met ${when(wins)}`;
    return [{ kind: 'schema', what }];
  };

  /** Where objects are asked for, the refusing side is asked once more without them: that tells which of the two refused. */
  return async (flips: readonly Flipped[]): Promise<[Flipped, Cause[]][]> => {
    const refused = new Set<Flipped>();
    for (const side of ['live', 'here'] as const) {
      const open = flips.flatMap((flip): { flip: Flipped; ask: Ask }[] => {
        const { variant, at } = flip.first;
        const endpoint = variant.pair[side];
        const isRefusing = (flip.direction === 'allow-to-deny') === (side === 'here');
        return isRefusing &&
          endpoint !== undefined &&
          variant.objects[side].length > 0 &&
          variant.pair.lacks[side].length === 0
          ? [{ flip, ask: { subjects: variant.pair.subjects, endpoint, objects: [], context: at.context } }]
          : [];
      });
      const answers = await asks[side].ask(open.map(({ ask }) => ask));
      for (const [at, { flip }] of open.entries()) if (answers[at]?.outcome === 'allow') refused.add(flip);
    }
    return flips.map((flip) => [flip, causesOf(flip, refused.has(flip))]);
  };
};

const when = (side: Side): string => (side === 'live' ? 'now' : 'here');
const ruleOf = ({ resource, permission }: ObjectQuestion): string =>
  `${resource.slice(0, resource.indexOf(':'))}#${permission}`;

const endpointsOf = ({ services }: Organisation) =>
  new Map([...services.values()].flatMap(({ endpoints }) => endpoints.map((each) => [each.id, each] as const)));

/** Conditions are not looked at: a role that is held under one that is not met now is still how it is allowed at other times. */
const rolesOpening = (organisation: Organisation, subject: Subject, opens: Opening): RoleName[] => {
  const holders: SubjectId[] = [subject as SubjectId];
  if (!subject.startsWith('credential:'))
    for (const group of organisation.groups.around(subject as PrincipalId))
      holders.push(`${group}#member` as SubjectId);
  const found = holders
    .flatMap((holder) => organisation.grantsOf(holder))
    .flatMap(({ role }) => (organisation.roles.get(role)?.allows.some(opens) === true ? [role] : []));
  return [...new Set(found)].sort();
};
