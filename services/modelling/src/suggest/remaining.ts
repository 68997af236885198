/** What no role answers: said with its reason, so that it is not taken for allowed once the service is enforced. */
import type { EndpointId, ObjectQuestion } from '@postern/schemas';
import type { Variant } from '../preview/gather.ts';
import type { Subject } from '../preview/use.ts';

export type Remaining = {
  readonly kind: 'scope' | 'condition' | 'object' | 'stranger' | 'refused';
  readonly endpoint: EndpointId;
  readonly what: string;
  readonly callers: number;
  readonly uses: number;
  /** One of the callers, and one of their calls. */
  readonly example: string;
};
type Noted = Omit<Remaining, 'callers' | 'uses'> & { readonly by: Set<string>; uses: number };

export const remainingNotes = () => {
  const notes = new Map<string, Noted>();
  return {
    add: (
      { kind, endpoint, what }: Pick<Remaining, 'kind' | 'endpoint' | 'what'>,
      subjects: readonly Subject[],
      { example, uses }: Pick<Variant, 'example' | 'uses'>,
    ): void => {
      const key = `${kind} ${endpoint} ${what}`;
      const who = subjects.join(' + ');
      const noted = notes.get(key) ?? { kind, endpoint, what, by: new Set(), uses: 0, example: `${who} ${example}` };
      noted.by.add(who);
      noted.uses += uses;
      notes.set(key, noted);
    },
    all: (): Remaining[] =>
      [...notes.values()]
        .map(({ by, ...rest }) => ({ ...rest, callers: by.size }))
        .sort((a, b) => b.uses - a.uses || a.endpoint.localeCompare(b.endpoint)),
  };
};

/** `employee:42#view` → `employee#view` */
export const permissionOf = ({ resource, permission }: ObjectQuestion): string =>
  `${resource.slice(0, resource.indexOf(':'))}#${permission}`;
