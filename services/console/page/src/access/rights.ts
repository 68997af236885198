/** Who may call what, by which ways, at a moment: what is asked, and how it is put together for a picture. */
import type { Conditions, TracedRight, TracedWay } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { askJson, queryText } from '../api.ts';

export type Way = TracedWay;
export type Right = TracedRight;
export type RightsAnswer = {
  readonly moment: { readonly sequence: number; readonly at: string };
  readonly public?: boolean;
  readonly rights: readonly Right[];
};

export type About =
  | { readonly kind: 'subject' | 'endpoint' | 'role' | 'service' | 'group'; readonly name: string }
  | { readonly kind: 'nothing' };

/** `user:bob`, `payroll/listEmployees`, `role:reader`, `service:payroll`, `group:finance`: as a link and the search write it. */
export const parseAbout = (text: string): About => {
  if (text === '') return { kind: 'nothing' };
  const [, type = '', rest = ''] = /^(role|service):(.*)$/s.exec(text) ?? [];
  if (type === 'role' || type === 'service') return { kind: type, name: rest };
  if (text.startsWith('group:')) return { kind: 'group', name: text };
  return { kind: /^(user|workload|credential):/.test(text) ? 'subject' : 'endpoint', name: text };
};
export const aboutText = (kind: string, name: string): string =>
  kind === 'role' || kind === 'service' ? `${kind}:${name}` : name;

/** `at`: a sequence or an instant; empty for now. */
export const momentQuery = (at: string): Readonly<Record<string, string>> =>
  /^\d+$/.test(at) ? { sequence: at } : { at };

export const useRights = (kind: 'subject' | 'endpoint', name: string, at: string, enabled = true) =>
  useQuery({
    queryKey: ['rights', kind, name, at],
    queryFn: () => askJson<RightsAnswer>(`/audit/as-of${queryText({ [kind]: name, ...momentQuery(at) })}`),
    enabled,
  });

/** Rights that are held in the very same ways belong together: a role opens dozens of endpoints, a group has dozens of members. */
export type Alike = {
  readonly key: string;
  readonly subjects: readonly string[];
  readonly endpoints: readonly string[];
  readonly conditional: boolean;
  /** The ways of the first of them: all others have the same but for the name. */
  readonly ways: readonly Way[];
};

export const alikeOf = (rights: readonly Right[], by: 'subject' | 'endpoint'): readonly Alike[] => {
  const groups = new Map<string, { subjects: Set<string>; endpoints: Set<string>; first: Right }>();
  for (const right of rights) {
    const ways = right.paths.map(({ grant, group }) => [grant, group ?? '']);
    const key = JSON.stringify([by === 'subject' ? right.subject : right.endpoint, right.conditional, ways]);
    const known = groups.get(key) ?? { subjects: new Set<string>(), endpoints: new Set<string>(), first: right };
    known.subjects.add(right.subject);
    known.endpoints.add(right.endpoint);
    groups.set(key, known);
  }
  return [...groups].map(([key, { subjects, endpoints, first }]) => ({
    key,
    subjects: [...subjects],
    endpoints: [...endpoints],
    conditional: first.conditional,
    ways: first.paths,
  }));
};

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

/** Conditions in words, each on its own. */
export const conditionWords = (conditions: Conditions): readonly string[] => {
  const { from, until, cidrs, countries, hours, acr, amr } = conditions;
  return [
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(until === undefined ? [] : [`until ${until}`]),
    ...(hours === undefined
      ? []
      : [
          `${hours.days.map((day) => weekdays[day]).join(', ')} from ${clock(hours.from)} to ${clock(hours.to)} (${hours.tz})`,
        ]),
    ...(cidrs === undefined ? [] : [`from the network ${cidrs.join(' or ')}`]),
    ...(countries === undefined ? [] : [`from ${countries.join(' or ')}`]),
    ...(acr === undefined ? [] : [`authenticated as ${acr.join(' or ')}`]),
    ...(amr === undefined ? [] : [`authenticated by ${amr.join(' and ')}`]),
  ];
};
