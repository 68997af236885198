/** YAML with its lines: every mistake of a file at once, each as `file:line: what: how to fix`. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** One mistake in a file that a person wrote. */
export type FileMistake = {
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly fix?: string;
};

export const mistakeText = ({ file, line, what, fix }: FileMistake): string =>
  `${file}:${line}: ${what}${fix === undefined ? '' : `: ${fix}`}`;

export type YamlFile<Value> =
  | { readonly outcome: 'read'; readonly value: Value; readonly lineOf: (path: readonly PropertyKey[]) => number }
  | { readonly outcome: 'unreadable'; readonly why: string }
  | { readonly outcome: 'mistaken'; readonly mistakes: readonly FileMistake[] };

/** Reads, substitutes `${NAME}` in every string from `environment`, and parses by `schema`. Unknown keys are mistakes where the schema is strict. */
export const readYamlFile = <Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>> = {},
): YamlFile<z.output<Schema>> => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { outcome: 'unreadable', why: unreadable(error) };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0)
    return {
      outcome: 'mistaken',
      mistakes: document.errors.map(({ message, pos }) => ({
        file,
        line: lines.linePos(pos[0]).line,
        what: message.split('\n')[0]?.replace(/ at line.*$/, '') ?? message,
      })),
    };
  const lineOf = (path: readonly PropertyKey[]): number => lineAt(document, lines, path);
  const missing: FileMistake[] = [];
  const value = substitute(document.toJS(), [], environment, (name, path) =>
    missing.push({
      file,
      line: lineOf(path),
      what: `\${${name}} is not set`,
      fix: `set the environment variable ${name}`,
    }),
  );
  if (missing.length > 0) return { outcome: 'mistaken', mistakes: missing };
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return { outcome: 'read', value: parsed.data, lineOf };
  return {
    outcome: 'mistaken',
    mistakes: parsed.error.issues.map((issue) => {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
      const path = unknown[0] === undefined ? issue.path : [...issue.path, unknown[0]];
      return unknown.length > 0
        ? {
            file,
            line: lineOf(path),
            what: `unknown key ${unknown.map((key) => `"${key}"`).join(', ')}${where(issue.path)}`,
            fix: 'remove it or check its spelling',
          }
        : { file, line: lineOf(path), what: `${path.map(String).join('.') || 'the file'}: ${messageOf(issue)}` };
    }),
  };
};

/** Of a key that is no name, what a name is. */
const messageOf = (issue: z.core.$ZodIssue): string =>
  (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue.message;

/** Why a file that was named cannot be read, in words. */
export const unreadable = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'the file does not exist';
  if (code === 'EISDIR') return 'this is a folder, not a file';
  if (code === 'EACCES') return 'this user may not read the file';
  return message;
};

const where = (path: readonly PropertyKey[]): string => (path.length > 0 ? ` in ${path.map(String).join('.')}` : '');

const lineAt = (document: Document, lines: LineCounter, path: readonly PropertyKey[]): number => {
  let node: unknown = document.contents;
  let line = 1;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
      );
      if (pair === undefined) break;
      if (isScalar(pair.key) && pair.key.range) line = lines.linePos(pair.key.range[0]).line;
      node = pair.value;
    } else {
      const item = (node as { items?: unknown[] } | null)?.items?.[Number(key)];
      if (item === undefined) break;
      const range = (item as { range?: [number, number, number] | null }).range;
      if (range) line = lines.linePos(range[0]).line;
      node = item;
    }
  }
  return line;
};

const substitute = (
  value: unknown,
  path: readonly PropertyKey[],
  environment: Readonly<Record<string, string | undefined>>,
  missing: (name: string, path: readonly PropertyKey[]) => void,
): unknown => {
  if (typeof value === 'string')
    return value.replace(/\$\{([A-Z_][A-Z0-9_]*)\}/g, (_, name: string) => {
      const found = environment[name];
      if (found === undefined) missing(name, path);
      return found ?? '';
    });
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, [...path, index], environment, missing));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, substitute(member, [...path, key], environment, missing)]),
    );
  return value;
};
