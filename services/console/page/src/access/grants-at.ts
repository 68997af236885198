/** Who holds a role, or what a group holds: of now as the grants room says it; of a past moment as the facts up to then tell it. */
import type { Conditions, DecisionRecord } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { askJson, queryText } from '../api.ts';
import type { Way } from './rights.ts';

export type Found<Body> = {
  readonly items: readonly {
    readonly id: string;
    readonly index: number;
    readonly sequence: number;
    readonly body: Body;
  }[];
  readonly next: string | null;
  readonly size: number;
  readonly checkpoint: string | null;
};
export type FoundDecisions = Found<DecisionRecord>;

type LiveGrant = Omit<Way, 'grant' | 'fact'> & { readonly id: string; readonly issuedAt: number };
type GrantFact = {
  readonly type: string;
  readonly recordedtime: string;
  readonly authid: string;
  readonly data: {
    readonly grant: string;
    readonly subject: string;
    readonly role: string;
    readonly reason?: string;
    readonly origin?: string;
    readonly ticket?: string;
    readonly conditions?: Conditions;
  };
};

/** The newest that are looked through. */
const factsMax = 20_000;

export const useGrants = (kind: 'role' | 'group', name: string, at: string) =>
  useQuery({
    queryKey: ['grants', kind, name, at],
    queryFn: () => (at === '' ? live(kind, name) : past(kind, name, at)),
  });

const live = async (kind: 'role' | 'group', name: string): Promise<readonly Way[]> => {
  const asked = kind === 'role' ? { role: name } : { subject: `${name}#member` };
  const { items } = await askJson<{ items: readonly LiveGrant[] }>(`/grants${queryText(asked)}`);
  return items.map(({ id, issuedAt, ...grant }) => ({ ...grant, grant: id, fact: issuedAt }));
};

const past = async (kind: 'role' | 'group', name: string, at: string): Promise<readonly Way[]> => {
  const held = new Map<string, Way>();
  const until = /^\d+$/.test(at) ? { to: at } : { until: new Date(Date.parse(at) + 1).toISOString() };
  const asked = kind === 'role' ? { role: name } : { subject: `${name}#member` };
  let cursor = '';
  for (let read = 0; read < factsMax; read += 1_000) {
    const { items, next } = await askJson<Found<GrantFact>>(
      `/audit/facts${queryText({ ...asked, ...until, order: 'oldest', limit: '1000', cursor })}`,
    );
    for (const { sequence, body } of items) take(held, sequence, body);
    if (next === null) return [...held.values()];
    cursor = next;
  }
  throw new Error(`More than ${factsMax} facts are about ${name}: ask for one subject.`);
};

const take = (held: Map<string, Way>, sequence: number, { type, recordedtime, authid, data }: GrantFact): void => {
  if (type === 'postern.grant.revoked.v1' || type === 'postern.grant.expired.v1') held.delete(data.grant);
  if (type !== 'postern.grant.issued.v1') return;
  const { grant, subject, role, reason = '', origin, ticket, conditions } = data;
  held.set(grant, {
    grant,
    subject,
    role,
    fact: sequence,
    by: authid,
    reason,
    issued: recordedtime,
    ...(origin !== undefined && { origin }),
    ...(ticket !== undefined && { ticket }),
    ...(conditions !== undefined && { conditions }),
  });
};
