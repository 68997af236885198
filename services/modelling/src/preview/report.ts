/** A preview as people and pipelines read it. What was not asked or not shown is always said. */
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

const groupsShownMax = 200;

const causesOf = ({ causes }: Group): string =>
  causes.map(({ what, place }) => (place === undefined ? what : `${what} (${place})`)).join('; ');
const whoOf = ({ who, callers }: Group): string =>
  callers > who.length ? `${who.join(', ')} and ${(callers - who.length).toLocaleString('en')} more` : who.join(', ');

export const previewText = (preview: Preview): string => {
  const lines = [verdictLine(preview), windowLine(preview), ...cautionsOf(preview)];
  for (const direction of directions) {
    const groups = groupsOf(preview, direction);
    if (groups.length === 0) continue;
    lines.push('', `${titles[direction]}:`);
    for (const group of groups.slice(0, groupsShownMax)) {
      const objects = objectsOf(group);
      lines.push(
        `  ${endpointOf(group)}${group.wanted ? '  (wanted)' : ''}`,
        `    ${count(group.callers, 'caller')}: ${whoOf(group)}`,
        `    ${count(group.uses, 'call')}, last ${readable(group.last)}, for instance ${group.example}`,
        ...(objects === '' ? [] : [`    ${objects}`]),
        `    because ${causesOf(group)}`,
      );
    }
    if (groups.length > groupsShownMax)
      lines.push(`  … and ${count(groups.length - groupsShownMax, 'entry')} more: --format json has them all`);
  }
  return lines.join('\n');
};

export const previewJson = (preview: Preview): string =>
  JSON.stringify({ verdict: verdictLine(preview), ...preview }, undefined, 2);

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => entities[character] ?? character).replace(/\p{Cc}/gu, '\uFFFD');

export const previewJunit = (preview: Preview): string => {
  const groups = directions.flatMap((direction) => groupsOf(preview, direction));
  const failing = groups.filter(({ wanted }) => !wanted);
  const cases = groups.map((group) => {
    const name = `${endpointOf(group)}: ${whoOf(group)}`;
    const open = `    <testcase classname="${group.direction}" name="${escaped(name)}"`;
    if (group.wanted) return `${open}/>`;
    const why = `${titles[group.direction]}: ${count(group.callers, 'caller')}, ${count(group.uses, 'call')}, last ${readable(group.last)}; ${causesOf(group)}`;
    return `${open}>\n      <failure message="${escaped(why)}"/>\n    </testcase>`;
  });
  const all =
    cases.length > 0 ? cases : [`    <testcase classname="preview" name="${escaped(verdictLine(preview))}"/>`];
  const said = [verdictLine(preview), windowLine(preview), ...cautionsOf(preview)].map((line) => escaped(line));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="postern preview">\n  <testsuite name="preview" tests="${all.length}" failures="${failing.length}">\n${all.join('\n')}\n    <system-out>${said.join('\n')}\n</system-out>\n  </testsuite>\n</testsuites>`;
};

/** 2: somebody would be refused who is not now; 3: somebody would get in; what is wanted counts for neither. */
export const previewExit = ({ flips }: Pick<Preview, 'flips'>): 0 | 2 | 3 => {
  const unwanted = flips.filter(({ wanted }) => !wanted);
  if (unwanted.some(({ direction }) => direction === 'allow-to-deny')) return 2;
  return unwanted.length > 0 ? 3 : 0;
};
