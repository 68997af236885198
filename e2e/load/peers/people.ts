/** An organisation of many people, as the log would hold it had they been hired one by one. */
import type { FactLog } from '@postern/event-log';
import type { FactDraft } from '@postern/schemas';

const perAppend = 400;

/** Each is an active user with a grant of one of `roles`, by turns. */
export const hireMany = async (
  facts: Pick<FactLog, 'head' | 'append'>,
  people: number,
  roles: readonly string[],
): Promise<void> => {
  const now = new Date().toISOString();
  let count = 0;
  const draft = (type: string, data: object): FactDraft => {
    const id = `01990000-0000-7000-8000-${(count++).toString(16).padStart(12, '0')}`;
    const about = { source: '/postern/bench', time: now, recordedtime: now, correlationid: id };
    return { id, type, ...about, authtype: 'system', authid: 'bench', data } as unknown as FactDraft;
  };
  for (let from = 0; from < people; from += perAppend) {
    const drafts: FactDraft[] = [];
    for (let at = from; at < Math.min(from + perAppend, people); at++) {
      const principal = `user:p${at}`;
      drafts.push(draft('postern.principal.joined.v1', { principal, attributes: {} }));
      const role = roles[at % Math.max(roles.length, 1)];
      const grant = draft('postern.grant.issued.v1', { subject: principal, role, reason: 'bench', origin: 'direct' });
      drafts.push({ ...grant, data: { ...grant.data, grant: grant.id } } as FactDraft);
    }
    for (;;) {
      const appended = await facts.append(await facts.head(), drafts);
      if (appended.outcome === 'appended') break;
    }
  }
};
