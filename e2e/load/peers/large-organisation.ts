/** An organisation of many services, roles and people, as the log would hold it had they come one after the other. */
import type { FactLog } from '@postern/event-log';
import type { FactDraft } from '@postern/schemas';

const peoplePerAppend = 400;
const endpointsPerPart = 400;

type Facts = Pick<FactLog, 'head' | 'append'>;

let count = 0;
const draft = (type: string, data: object): FactDraft => {
  const id = `01990000-0000-7000-8000-${(count++).toString(16).padStart(12, '0')}`;
  const now = new Date().toISOString();
  const about = { source: '/postern/bench', time: now, recordedtime: now, correlationid: id };
  return { id, type, ...about, authtype: 'system', authid: 'bench', data } as unknown as FactDraft;
};

const append = async (facts: Facts, drafts: readonly FactDraft[]): Promise<void> => {
  for (;;) {
    const appended = await facts.append(await facts.head(), drafts);
    if (appended.outcome === 'appended') return;
  }
};

/** One more service, its endpoints shared out among roles of its own. Answers with their names. */
export const publishService = async (facts: Facts, name: string, routes: number, roles: number): Promise<string[]> => {
  const endpoints = Array.from({ length: routes }, (_, at) => ({
    id: `${name}/t${at}`,
    method: 'GET',
    template: `/t${at}/{id}`,
    access: 'read',
  }));
  const parts = Math.ceil(routes / endpointsPerPart);
  const about = { service: name, mount: `/${name}`, parts, digest: name };
  const share = Math.ceil(routes / roles);
  const named = Array.from({ length: roles }, (_, at) => `${name}-role${at}`);
  await append(facts, [
    ...Array.from({ length: parts }, (_, at) =>
      draft('postern.routes.published.v1', {
        ...about,
        endpoints: endpoints.slice(at * endpointsPerPart, (at + 1) * endpointsPerPart),
        part: at + 1,
      }),
    ),
    ...named.map((role, at) => {
      const allows = endpoints.slice(at * share, (at + 1) * share).map(({ id }) => ({ endpoint: id }));
      return draft('postern.role.defined.v1', { role, rules: { allows }, reason: 'bench' });
    }),
  ]);
  return named;
};

/** Each is an active user with a grant of one of `roles`, by turns. */
export const hireMany = async (facts: Facts, people: number, roles: readonly string[]): Promise<void> => {
  for (let from = 0; from < people; from += peoplePerAppend) {
    const drafts: FactDraft[] = [];
    for (let at = from; at < Math.min(from + peoplePerAppend, people); at++) {
      const principal = `user:p${at}`;
      drafts.push(draft('postern.principal.joined.v1', { principal, attributes: {} }));
      const role = roles[at % Math.max(roles.length, 1)];
      const grant = draft('postern.grant.issued.v1', { subject: principal, role, reason: 'bench', origin: 'direct' });
      drafts.push({ ...grant, data: { ...grant.data, grant: grant.id } } as FactDraft);
    }
    await append(facts, drafts);
  }
};
