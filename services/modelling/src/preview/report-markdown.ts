/** A preview as a comment on a change: the verdict, who gains, who loses, and what was not asked, within what a comment may hold. */
import type { Cause } from './flip.ts';
import { type Group, groupsOf } from './groups.ts';
import type { Preview } from './preview.ts';
import {
  cautionsOf,
  count,
  directions,
  endpointOf,
  objectsOf,
  readable,
  titles,
  verdictLine,
  windowLine,
} from './wording.ts';

/** GitHub takes 65,536 characters a comment (GitLab a million); the rest is room for whoever posts it. */
const charactersMax = 64_000;
/** A reviewer reads no further; what is beyond is counted. */
const rowsMax = 60;
const headings = ['endpoint', 'callers', 'calls', 'last call', 'because'] as const;
const rightAligned: ReadonlySet<string> = new Set(['calls']);

export const previewMarkdown = (preview: Preview): string => {
  const head = ['### Postern preview', '', `**${verdictLine(preview)}**`, '', `${windowLine(preview)}.`];
  const foot = cautionsOf(preview).map((line) => `- ${plain(line)}`);
  const notes = foot.length === 0 ? [] : ['', '#### Not asked, or not certain', '', ...foot];
  const fixed = [...head, ...notes].join('\n').length;
  const body: string[] = [];
  let room = charactersMax - fixed;
  for (const direction of directions) {
    const groups = groupsOf(preview, direction);
    if (groups.length === 0) continue;
    const rows: string[][] = [];
    // Both directions get their share, so that a long list of gains hides no loss.
    let left = Math.floor(direction === directions[0] ? room / 2 : room) - 1_000;
    for (const group of groups.slice(0, rowsMax)) {
      const row = cellsOf(group);
      left -= row.join(' | ').length + 6;
      if (left < 0) break;
      rows.push(row);
    }
    const hidden = groups.slice(rows.length);
    const part = ['', `#### ${titles[direction]}: ${count(callersOf(groups), 'caller')}`, '', ...table(rows)];
    if (hidden.length > 0)
      part.push(
        '',
        `… and ${count(hidden.length, 'row')} more, ${count(callersOf(hidden), 'caller')} and ${count(usesOf(hidden), 'call')}, that a comment has no room for: \`postern preview --format json\` lists them all.`,
      );
    body.push(...part);
    room -= part.join('\n').length;
  }
  const text = [...head, ...body, ...notes].join('\n');
  return text.length <= charactersMax
    ? text
    : `${text.slice(0, charactersMax - 100)}\n\n… cut here: a comment holds no more.`;
};

/** A caller in two rows counts twice here; the verdict counts each once. */
const callersOf = (groups: readonly Group[]): number => groups.reduce((sum, { callers }) => sum + callers, 0);
const usesOf = (groups: readonly Group[]): number => groups.reduce((sum, { uses }) => sum + uses, 0);

const cellsOf = (group: Group): string[] => {
  const more = group.callers - group.who.length;
  const names = `${group.who.map(code).join(', ')}${more > 0 ? `, and ${more.toLocaleString('en')} more` : ''}`;
  const objects = objectsOf(group);
  return [
    `${code(endpointOf(group))}${group.wanted ? ' (wanted)' : ''}<br>${code(shortened(group.example))}`,
    group.callers === 1 ? names : `${group.callers.toLocaleString('en')}: ${names}`,
    group.uses.toLocaleString('en'),
    readable(group.last),
    [...group.causes.map(causeText), ...(objects === '' ? [] : [plain(objects)])].join('<br>'),
  ];
};

const causeText = ({ what, role, place }: Cause): string => {
  const text =
    role === undefined ? plain(what) : plain(what).replace(`role ${plain(role)} `, () => `role ${code(role)} `);
  return place === undefined ? text : `${text} (${code(place)})`;
};

const exampleLengthMax = 120;
const shortened = (text: string): string =>
  text.length > exampleLengthMax ? `${text.slice(0, exampleLengthMax)}…` : text;

/** Recorded text is somebody else's: nothing in it may be markup, a mention or the end of a cell. */
const inert = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
const code = (text: string): string => `\`${inert(text).replaceAll('`', "'").replaceAll('|', '\\|')}\``;
const plain = (text: string): string =>
  inert(text)
    .replace(/[\\`*_{}[\]<>|~]/g, (character) => `\\${character}`)
    .replace(/[@#](?=[\w-])/g, (character) => `${character}\u200B`);

/** Columns stand below each other in the source too: a comment is also read in mail. */
const table = (rows: readonly (readonly string[])[]): string[] => {
  if (rows.length === 0) return [];
  const widths = headings.map((heading, at) =>
    Math.min(60, Math.max(heading.length, 4, ...rows.map((row) => row[at]?.length ?? 0))),
  );
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, at) =>
      rightAligned.has(headings[at] ?? '') ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = headings.map((heading, at) =>
    rightAligned.has(heading) ? `${'-'.repeat((widths[at] ?? 4) - 1)}:` : '-'.repeat(widths[at] ?? 4),
  );
  return [line(headings), `| ${rule.join(' | ')} |`, ...rows.map(line)];
};
