/** A suggestion as a unified diff of `roles.yaml`: what is added stands at the end of the file, and nothing else is touched. */
import { stringify } from 'yaml';
import type { Proposal, Suggestion } from './suggest.ts';

export const suggestionDiff = (
  { proposals }: Suggestion,
  { file, text }: { readonly file: string; readonly text: string },
): string => {
  if (proposals.length === 0) return '';
  const lines = text.replace(/\n$/, '').split('\n');
  const context = text.trim() === '' ? [] : lines.slice(-3);
  const added = proposals.flatMap((proposal) => ['', ...yamlOf(proposal)]);
  const shown = context.length === 0 ? added.slice(1) : added;
  const begin = context.length === 0 ? 0 : lines.length - context.length + 1;
  return [
    `--- a/${file}`,
    `+++ b/${file}`,
    `@@ -${begin},${context.length} +${Math.max(begin, 1)},${context.length + shown.length} @@`,
    ...context.map((line) => ` ${line}`),
    ...shown.map((line) => `+${line}`),
    '',
  ].join('\n');
};

const yamlOf = ({ role, rules }: Proposal): string[] =>
  stringify({ [role]: rules }, { lineWidth: 0 })
    .trimEnd()
    .split('\n');
