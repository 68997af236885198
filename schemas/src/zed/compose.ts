/**
 * Several files, one schema: the gate's own definitions unless a file defines them, then the files in the order of their names.
 * The engine takes one text; this one knows where each of its lines comes from.
 */
import { gateSchema } from '../../generated/gate-zed.ts';
import { type ZedItem, zedItems } from './items.ts';

export type SchemaFile = { readonly file: string; readonly text: string };
export type SchemaPlace = { readonly file: string; readonly line: number };
export type ComposedSchema = {
  readonly text: string;
  /** The place of a line of `text`, from 1. */
  readonly placeOf: (line: number) => SchemaPlace;
  /** What no single file can know: one name defined twice. */
  readonly mistakes: readonly (SchemaPlace & { readonly what: string; readonly fix: string })[];
};

/** What the gate's own definitions are called where they stand in for a file. */
export const gateFile = 'gate.zed';

/** No file gives the gate's schema; one file that defines all of the gate's is published as it is written. Deterministic. */
export const composeSchema = (files: readonly SchemaFile[]): ComposedSchema => {
  const sorted = [...files].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  const parts = sorted.map(({ file, text }) => ({ file, text, items: zedItems(text).items }));
  const mistakes: { file: string; line: number; what: string; fix: string }[] = [];
  const defined = new Map<string, SchemaPlace>();
  for (const { file, items } of parts)
    for (const { kind, name, line } of items) {
      if (kind === 'use') continue;
      const first = defined.get(`${kind} ${name}`);
      if (first === undefined) defined.set(`${kind} ${name}`, { file, line });
      else
        mistakes.push({
          file,
          line,
          what: `the ${kind} ${name} is defined already, at ${first.file}:${first.line}`,
          fix: 'keep one of them',
        });
    }
  const gate = zedItems(gateSchema).items;
  const standing = gate.filter(({ kind, name }) => kind !== 'use' && !defined.has(`${kind} ${name}`));
  const [only] = parts;
  if (only === undefined) return { text: gateSchema, placeOf: (line) => ({ file: gateFile, line }), mistakes };
  if (parts.length === 1 && standing.length === 0)
    return { text: only.text, placeOf: (line) => ({ file: only.file, line }), mistakes };

  const lines: { text: string; place: SchemaPlace }[] = [];
  const uses = new Map<string, SchemaPlace>();
  for (const { file, items } of [{ file: gateFile, items: gate }, ...parts])
    for (const { kind, name, line } of items) if (kind === 'use' && !uses.has(name)) uses.set(name, { file, line });
  for (const name of [...uses.keys()].sort())
    lines.push({ text: `use ${name}`, place: uses.get(name) ?? { file: gateFile, line: 1 } });
  for (const item of standing) {
    lines.push({ text: '', place: { file: gateFile, line: item.line } });
    for (const [n, text] of gateSchema.slice(item.from, item.to).split('\n').entries())
      lines.push({ text, place: { file: gateFile, line: item.line + n } });
  }
  for (const { file, text, items } of parts) {
    lines.push({ text: '', place: { file, line: 1 } });
    for (const [n, line] of withoutUses(text, items).split('\n').entries())
      lines.push({ text: line.trimEnd(), place: { file, line: n + 1 } });
  }
  const last = lines.at(-1)?.place ?? { file: gateFile, line: 1 };
  return {
    text: `${lines.map(({ text }) => text).join('\n')}\n`,
    placeOf: (line) => lines[line - 1]?.place ?? last,
    mistakes,
  };
};

/** `use` stands before every definition, so those of the files go to the top; their lines stay, empty. */
const withoutUses = (text: string, items: readonly ZedItem[]): string => {
  let kept = text;
  for (const { kind, from, to } of items)
    if (kind === 'use') kept = kept.slice(0, from) + ' '.repeat(to - from) + kept.slice(to);
  return kept;
};
