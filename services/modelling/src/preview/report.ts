/** A preview as people and pipelines read it. What was not asked is always said. */
import type { Flip, Preview } from './preview.ts';

const titles = {
  'allow-to-deny': 'allowed now, refused by the files here',
  'deny-to-allow': 'refused now, allowed by the files here',
} as const;

const whoOf = ({ subjects }: Flip): string =>
  subjects.length === 0 ? 'anybody, without a credential' : subjects.join(' + ');
const endpointOf = ({ live, here }: Flip): string => {
  const [before, after] = [live ?? 'no endpoint', here ?? 'no endpoint'];
  return before === after ? after : `${before} → ${after}`;
};
const causesOf = ({ causes }: Flip): string =>
  causes.map(({ what, place }) => (place === undefined ? what : `${what} (${place})`)).join('; ') || 'the schema';
const count = (many: number, one: string): string => `${many.toLocaleString('en')} ${one}${many === 1 ? '' : 's'}`;

const summaryOf = ({ read, distinct, asked, from, until }: Preview): string =>
  read === 0
    ? 'no calls were found in the window'
    : `${count(read, 'call')} from ${from} to ${until}, ${count(distinct, 'distinct pair')} of caller and endpoint, ${count(asked, 'question')} asked of each model`;
const withoutOf = ({ leftOut, dropped }: Preview): string[] => [
  ...leftOut.map(({ why, uses }) => `${count(uses, 'call')} not asked about: ${why}`),
  ...(dropped.length > 0
    ? [
        `${count(dropped.length, 'live relationship')} for which the schema here has no place (postern check --against names them); publishing it is refused`,
      ]
    : []),
];

export const previewText = (preview: Preview): string => {
  const lines = [summaryOf(preview), ...withoutOf(preview)];
  for (const direction of ['allow-to-deny', 'deny-to-allow'] as const) {
    const flips = preview.flips.filter((flip) => flip.direction === direction);
    lines.push('', `${count(flips.length, 'pair')} ${titles[direction]}`);
    for (const flip of flips)
      lines.push(
        `  ${whoOf(flip)}  ${endpointOf(flip)}${flip.wanted ? '  (wanted)' : ''}`,
        `    ${count(flip.uses, 'use')}, last ${flip.last}, for instance ${flip.example}`,
        `    because ${causesOf(flip)}`,
      );
  }
  return lines.join('\n');
};

const rowsMax = 100;
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export const previewMarkdown = (preview: Preview): string => {
  const lines = ['### Postern preview', '', `${summaryOf(preview)}.`];
  for (const direction of ['allow-to-deny', 'deny-to-allow'] as const) {
    const flips = preview.flips.filter((flip) => flip.direction === direction);
    if (flips.length === 0) {
      lines.push('', `**0 pairs** ${titles[direction]}.`);
      continue;
    }
    lines.push('', `**${count(flips.length, 'pair')}** ${titles[direction]}:`, '');
    lines.push('| who | endpoint | uses | last used | because | wanted |', '| --- | --- | ---: | --- | --- | --- |');
    for (const flip of flips.slice(0, rowsMax)) {
      const cells = [`\`${whoOf(flip)}\``, `\`${endpointOf(flip)}\``, flip.uses.toLocaleString('en'), flip.last];
      lines.push(`| ${[...cells, causesOf(flip), flip.wanted ? 'yes' : ''].map(cell).join(' | ')} |`);
    }
    if (flips.length > rowsMax)
      lines.push('', `… and ${flips.length - rowsMax} more: \`postern preview --format json\` lists them all.`);
  }
  const without = withoutOf(preview);
  if (without.length > 0) lines.push('', ...without.map((line) => `- ${line}`));
  return lines.join('\n');
};

export const previewJson = (preview: Preview): string => JSON.stringify(preview, undefined, 2);

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => entities[character] ?? character).replace(/\p{Cc}/gu, '\uFFFD');

export const previewJunit = (preview: Preview): string => {
  const failing = preview.flips.filter(({ wanted }) => !wanted);
  const cases = preview.flips.map((flip) => {
    const open = `    <testcase classname="${flip.direction}" name="${escaped(`${whoOf(flip)} ${endpointOf(flip)}`)}"`;
    if (flip.wanted) return `${open}/>`;
    const why = escaped(`${titles[flip.direction]}: ${count(flip.uses, 'use')}, last ${flip.last}; ${causesOf(flip)}`);
    return `${open}>\n      <failure message="${why}"/>\n    </testcase>`;
  });
  const all = cases.length > 0 ? cases : [`    <testcase classname="preview" name="${escaped(summaryOf(preview))}"/>`];
  const without = withoutOf(preview)
    .map((line) => `${escaped(line)}\n`)
    .join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="postern preview">\n  <testsuite name="preview" tests="${all.length}" failures="${failing.length}">\n${all.join('\n')}\n    <system-out>${escaped(summaryOf(preview))}\n${without}</system-out>\n  </testsuite>\n</testsuites>`;
};

/** 2: somebody would be refused who is not now; 3: somebody would get in; what is wanted counts for neither. */
export const previewExit = ({ flips }: Preview): 0 | 2 | 3 => {
  const unwanted = flips.filter(({ wanted }) => !wanted);
  if (unwanted.some(({ direction }) => direction === 'allow-to-deny')) return 2;
  return unwanted.length > 0 ? 3 : 0;
};
