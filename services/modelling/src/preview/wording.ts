/** How the reports say it, in one place: text, Markdown and JUnit tell the same. */
import type { Direction } from './flip.ts';
import { type Group, verdictOf } from './groups.ts';
import type { Preview } from './preview.ts';

/** What widens access is read first. */
export const directions = ['deny-to-allow', 'allow-to-deny'] as const satisfies readonly Direction[];
export const titles = {
  'deny-to-allow': 'Refused now, allowed by the files here',
  'allow-to-deny': 'Allowed now, refused by the files here',
} as const;

const plurals: Readonly<Record<string, string>> = { entry: 'entries' };
export const count = (many: number, one: string): string =>
  `${many.toLocaleString('en')} ${many === 1 ? one : (plurals[one] ?? `${one}s`)}`;

/** To the minute: nobody looks for the second at which a call was made in a report. */
export const readable = (instant: string): string => `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;

export const verdictLine = (preview: Preview): string => {
  if (preview.read === 0) return 'No calls were found in the window, so this says nothing.';
  const { gain, lose, wanted } = verdictOf(preview);
  const meant = wanted === 0 ? '' : ` (${count(wanted, 'flip')} more ${wanted === 1 ? 'is' : 'are'} wanted)`;
  if (gain === 0 && lose === 0)
    return wanted === 0
      ? 'Nobody gains or loses access.'
      : `Nobody gains or loses access, but for ${count(wanted, 'flip')} that ${wanted === 1 ? 'is' : 'are'} wanted.`;
  const parts = [
    ...(gain > 0 ? [`${count(gain, 'caller')} would gain access`] : []),
    ...(lose > 0 ? [`${count(lose, 'caller')} would lose access`] : []),
  ];
  return `${parts.join(', ')}${meant}.`;
};

export const windowLine = ({ read, distinct, asked, from, until }: Preview): string =>
  from === undefined || until === undefined
    ? '0 calls'
    : `${count(read, 'call')} from ${readable(from)} to ${readable(until)}: ${count(distinct, 'distinct pair')} of caller and endpoint, ${count(asked, 'question')} asked`;

/** What was not asked or not shown, each line a reason. Never silent. */
export const cautionsOf = ({ leftOut, dropped, aside, undecided }: Preview): string[] => [
  ...leftOut.map(
    ({ why, uses, example }) =>
      `${count(uses, 'call')} not asked about: ${why}${example === undefined ? '' : ` (first at ${example})`}`,
  ),
  ...(undecided > 0 ? [`${count(undecided, 'answer')} that the engine could not give count as refused`] : []),
  ...(dropped.length > 0
    ? [
        `${count(dropped.length, 'live relationship')} for which the schema here has no place (${namesOf(dropped)}); publishing it is refused, postern check --against names them all`,
      ]
    : []),
  ...(aside.length > 0
    ? [
        `${count(aside.length, 'live relationship')} that the live schema does not know ${aside.length === 1 ? 'is' : 'are'} set aside, as at the gate (${namesOf(aside)})`,
      ]
    : []),
];

const namesOf = (relationships: Preview['aside']): string => {
  const named = relationships
    .slice(0, 3)
    .map(({ resource, relation, subject }) => `${resource}#${relation}@${subject}`);
  return `${named.join(', ')}${relationships.length > 3 ? ', …' : ''}`;
};

export const endpointOf = ({ live, here }: Pick<Group, 'live' | 'here'>): string => {
  const [before, after] = [live ?? 'no endpoint', here ?? 'no endpoint'];
  return before === after ? after : `${before} → ${after}`;
};

/** "12 objects (employee:1#view, employee:2#view, …)"; empty where none is asked for. */
export const objectsOf = ({ objects, objectCount }: Pick<Group, 'objects' | 'objectCount'>): string =>
  objectCount === 0
    ? ''
    : `${count(objectCount, 'object')} (${objects.join(', ')}${objectCount > objects.length ? ', …' : ''})`;
