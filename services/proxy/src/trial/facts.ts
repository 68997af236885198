/** Facts for tests, as short as they can be said. */
import { hash, randomUUID } from 'node:crypto';
import type { EventLog } from '@postern/event-log';
import type { FactDraft, FactOf, FactType, LoggedFact } from '@postern/schemas';

export const uuid7 = (): string => {
  const id = randomUUID();
  return `${id.slice(0, 14)}7${id.slice(15)}`;
};

export const draft = <Type extends FactType>(type: Type, data: FactOf<Type>['data'], id = uuid7()): FactDraft =>
  ({
    id,
    source: '/postern/trial',
    type,
    time: new Date().toISOString(),
    recordedtime: new Date().toISOString(),
    correlationid: id,
    authtype: 'system',
    authid: 'postern/trial',
    data,
  }) as FactDraft;

/** Looser than the facts' own types, so that ids can be written as they are read. */
type Loose<Data> = Data extends string
  ? string
  : Data extends readonly (infer Item)[]
    ? readonly Loose<Item>[]
    : Data extends object
      ? { [Key in keyof Data]: Loose<Data[Key]> }
      : Data;
export const say = <Type extends FactType>(type: Type, data: Loose<FactOf<Type>['data']>, id?: string): FactDraft =>
  draft(type, data as unknown as FactOf<Type>['data'], id);

export const joined = (principal: string) => say('postern.principal.joined.v1', { principal, attributes: {} });
export const left = (principal: string) => say('postern.principal.left.v1', { principal });
export const related = (object: string, relation: string, subject: string) => ({
  related: say('postern.object.related.v1', { object, relation, subject }),
  unrelated: say('postern.object.unrelated.v1', { object, relation, subject }),
});
export const schema = (text: string) => say('postern.schema.published.v1', { text, part: 1, parts: 1, digest: 'x' });
export const role = (
  name: string,
  ...allows: ({ service: string; access: string } | { endpoint: string } | { object: string; permission: string })[]
) => say('postern.role.defined.v1', { role: name, rules: { allows } } as never);
export const routes = (
  service: string,
  mount: string,
  ...endpoints: {
    id: string;
    method: string;
    template: string;
    access?: string;
    public?: boolean;
    websocket?: boolean;
    operation?: object;
    objects?: { type: string; parameter: string; permission: string }[];
    scopes?: string[];
    opaque?: boolean;
  }[]
) =>
  say('postern.routes.published.v1', {
    service,
    mount,
    part: 1,
    parts: 1,
    digest: 'x',
    endpoints: endpoints.map((each) => ({ access: 'read', ...each })),
  } as never);
export const granted = (subject: string, name: string, conditions?: object) => {
  const grant = uuid7();
  const issued = say(
    'postern.grant.issued.v1',
    { grant, subject, role: name, origin: 'direct', reason: 'trial', ...(conditions && { conditions }) } as never,
    grant,
  );
  const revoked = say('postern.grant.revoked.v1', { grant, subject, role: name, reason: 'trial' });
  return { issued, revoked };
};
export const keyed = (credential: string, owner: string, key: string, until?: string) =>
  say('postern.credential.issued.v1', {
    credential,
    owner,
    digest: hash('sha256', key, 'base64url'),
    ...(until !== undefined && { until }),
  });

/** Appends behind whatever is there. */
export const appendAll = async (log: EventLog, ...drafts: FactDraft[]): Promise<readonly LoggedFact[]> => {
  if (drafts.length === 0) return [];
  for (;;) {
    const appended = await log.facts.append(await log.facts.head(), drafts);
    if (appended.outcome === 'appended') return appended.entries;
  }
};
