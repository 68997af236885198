/** Roles that give write access where their holders only read: by what was recorded, not by what could be. */
import type { ModelPlaces } from '@postern/runtime';
import {
  type AccessClass,
  type Endpoint,
  type Organisation,
  type PrincipalId,
  type RoleName,
  readTarget,
  routeMatcher,
  type SubjectId,
} from '@postern/schemas';
import type { Model } from '../folded-model.ts';
import type { ReadUse, Use } from '../preview/use.ts';
import type { Finding } from '../report/finding.ts';

/** What was read of a record. Nothing is sampled: every call of the period is counted. */
export type UseRead = {
  readonly source: string;
  /** Calls that got through, and those that did not or could not be read as calls. */
  readonly calls: number;
  readonly leftOut: number;
  /** RFC 3339: of the first and the last call; absent where there is none. */
  readonly from?: string;
  readonly until?: string;
};
export type WriteUseInput = {
  readonly model: Model;
  readonly places: ModelPlaces;
  /** Who holds what: as the facts say now, whatever they said when a call was made. */
  readonly live: Organisation;
  readonly uses: AsyncIterable<ReadUse>;
  readonly source: string;
  /** Epoch ms. */
  readonly sinceMs?: number | undefined;
};

type Count = { reads: number; writes: number; readonly who: Set<string> };
/** A role, and one of its allowances that opens the writes of a service. */
type Wide = { readonly role: RoleName; readonly service: string; readonly at: number };

export const writeUse = async ({
  model,
  places,
  live,
  uses,
  source,
  sinceMs = 0,
}: WriteUseInput): Promise<{ readonly read: UseRead; readonly findings: readonly Finding[] }> => {
  const wide = [...model.roles].flatMap(([role, { allows }]) =>
    allows.flatMap((allowance, at): Wide[] =>
      'service' in allowance && allowance.access !== 'read' ? [{ role, service: allowance.service, at }] : [],
    ),
  );
  const counts = new Map<Wide, Count>(wide.map((each) => [each, { reads: 0, writes: 0, who: new Set() }]));
  const endpointOf = endpointsUsed(model, live);
  const rolesOf = heldBy(live);
  let calls = 0;
  let leftOut = 0;
  let from: string | undefined;
  let until: string | undefined;
  for await (const each of uses) {
    if (each.outcome === 'left-out') {
      leftOut++;
      continue;
    }
    const { use } = each;
    if (Date.parse(use.at) < sinceMs) continue;
    if (!use.allowed) {
      leftOut++;
      continue;
    }
    calls++;
    if (from === undefined || use.at < from) from = use.at;
    if (until === undefined || use.at > until) until = use.at;
    const called = endpointOf(use);
    if (called === undefined) continue;
    for (const subject of use.subjects) {
      const held = rolesOf(subject);
      for (const [{ role, service }, count] of counts) {
        if (service !== called.service || !held.has(role)) continue;
        count.who.add(subject);
        if (called.access === 'read') count.reads++;
        else count.writes++;
      }
    }
  }
  const period = from === undefined || until === undefined ? {} : { from, until };
  const findings = [...counts].flatMap(([{ role, service, at }, { reads, writes, who }]): Finding[] =>
    writes > 0 || reads === 0
      ? []
      : [
          {
            rule: 'role/write-not-used',
            level: 'warning',
            ...places.role(role, 'allows', at),
            what: `${role} gives write access to ${service}, and ${who.size === 1 ? 'the one holder who' : `the ${who.size} holders who`} called there only read: ${reads} calls from ${from} to ${until}, no write`,
            fix: 'give read access; postern suggest proposes the smallest roles that would have done',
          },
        ],
  );
  return { read: { source, calls, leftOut, ...period }, findings };
};

type Called = { readonly service: string; readonly access: AccessClass };

/** By the name that the record has, where it has one; else by the routes, as an access log's paths. */
const endpointsUsed = (model: Model, live: Organisation): ((use: Use) => Called | undefined) => {
  const known = new Map<string, Called>();
  // What the files say of an endpoint counts before what is live.
  for (const { name, endpoints } of [...live.services.values(), ...model.services])
    for (const { id, access } of endpoints) known.set(id, { service: name, access });
  const matcher = routeMatcher(model.services);
  const matched = (use: Use): Endpoint | undefined => {
    const target = readTarget(use.path);
    return target.outcome === 'read' ? matcher.match(use.method, target)?.endpoint : undefined;
  };
  return (use) => known.get(use.endpoint ?? matched(use)?.id ?? '');
};

const heldBy = (live: Organisation): ((subject: string) => ReadonlySet<string>) => {
  const held = new Map<string, ReadonlySet<string>>();
  return (subject) => {
    const before = held.get(subject);
    if (before !== undefined) return before;
    const groups = /^(user|workload):/.test(subject) ? [...live.groups.around(subject as PrincipalId)] : [];
    const holders = [subject as SubjectId, ...groups.map((group) => `${group}#member` as SubjectId)];
    const found = new Set(holders.flatMap((holder) => live.grantsOf(holder).map(({ role }) => role)));
    held.set(subject, found);
    return found;
  };
};
