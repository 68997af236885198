/** A suggestion as a unified diff of `roles.yaml`: what is added stands at the end of the file, and nothing else is touched. */
import { Document, isMap, parseDocument, visit } from 'yaml';
import type { Proposal } from './proposing.ts';
import type { Suggestion } from './suggest.ts';

type File = {
  /** As it is named from where the diff will be applied. */
  readonly file: string;
  readonly text: string;
};

export const suggestionDiff = (
  { proposals, asksFor }: Pick<Suggestion, 'proposals' | 'asksFor'>,
  { file, text }: File,
): string => {
  if (proposals.length === 0) return '';
  const added = proposals.flatMap((proposal) => ['', ...yamlOf(proposal, asksFor)]);
  const name = file.replace(/^(?:\.\/)+/, '').replaceAll('\\', '/');
  const ending = text.includes('\r\n') ? '\r\n' : '\n';
  const closed = text === '' || text.endsWith('\n');
  const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);
  const hunk = isEmptyMap(text)
    ? // `{}` and a role behind it are no YAML together: the file is written anew, its comments kept.
      hunkOf(
        lines.filter((line) => !/^\s*\{\s*\}\s*(?:#.*)?$/.test(line)),
        lines,
        added,
        closed,
      )
    : hunkOf(lines, lines, added, closed);
  const carried = ending === '\n' ? hunk : hunk.map((line) => (/^[-+ ]/.test(line) ? `${line}\r` : line));
  return [`--- a/${name}`, `+++ b/${name}`, ...carried, ''].join('\n');
};

const noNewline = '\\ No newline at end of file';
const contextMax = 3;

/** `kept` is what stays of the file's lines; where all of them do, the last few are enough context. */
const hunkOf = (
  kept: readonly string[],
  lines: readonly string[],
  added: readonly string[],
  closed: boolean,
): string[] => {
  const whole = kept.length !== lines.length;
  const from = whole ? 0 : Math.max(0, lines.length - contextMax);
  const before = lines.slice(from);
  const after = whole ? kept : before;
  const shown = after.length === 0 ? added.slice(1) : added;
  const start = (count: number): number => (count === 0 ? 0 : from + 1);
  const total = after.length + shown.length;
  const body: string[] = [];
  const last = before.length - 1;
  for (const [at, line] of before.entries()) {
    if (whole) body.push(`-${line}`);
    // A last line without its newline is another line than the one with it.
    else if (at === last && !closed) body.push(`-${line}`, noNewline, `+${line}`);
    else body.push(` ${line}`);
    if (whole && at === last && !closed) body.push(noNewline);
  }
  if (whole) body.push(...after.map((line) => `+${line}`));
  return [
    `@@ -${start(before.length)},${before.length} +${start(total)},${total} @@`,
    ...body,
    ...shown.map((line) => `+${line}`),
  ];
};

const isEmptyMap = (text: string): boolean => {
  const { contents } = parseDocument(text);
  return isMap(contents) && contents.items.length === 0;
};

/** An endpoint that asks for more than its role gives says so beside it. */
const yamlOf = ({ role, rules }: Proposal, asksFor: Suggestion['asksFor']): string[] => {
  const document = new Document({ [role]: rules });
  visit(document, {
    Map: (_, node) => {
      const allowance = isMap(node) && node.items.length <= 2 && (node.has('endpoint') || node.has('object'));
      if (!allowance) return undefined;
      node.flow = true;
      const endpoint = node.get('endpoint');
      const asked = typeof endpoint === 'string' ? asksFor.get(endpoint) : undefined;
      if (asked !== undefined) node.comment = ` each call also asks for ${asked.join(', ')} of its object`;
      return visit.SKIP;
    },
  });
  return document.toString({ lineWidth: 0 }).trimEnd().split('\n');
};
