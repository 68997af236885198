/** Files of others, YAML or JSON, parsed with the lines of their mistakes. */
import { readFileSync } from 'node:fs';
import { namesInPointer } from '@postern/schemas';
import { LineCounter, type Node, parseDocument } from 'yaml';
import { unreadable } from './yaml-file.ts';

export type ParsedFile =
  | { readonly value: unknown; readonly text: string }
  | { readonly mistakes: readonly { readonly line: number; readonly what: string }[] };

export const readText = (file: string): { readonly text: string } | { readonly why: string } => {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { why: unreadable(error) };
  }
};

export const readParsed = (file: string): ParsedFile => {
  const read = readText(file);
  if ('why' in read) return { mistakes: [{ line: 1, what: read.why }] };
  const { text } = read;
  // JSON is YAML, but its own parser is twenty times faster, and these documents are large; lines are looked up only when there is something to say.
  if (/^\s*[[{]/.test(text))
    try {
      return { value: JSON.parse(text), text };
    } catch {
      // The YAML parser says in which line it is wrong.
    }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0)
    return {
      mistakes: document.errors.map(({ message, pos }) => ({
        line: lines.linePos(pos[0]).line,
        what: message.split('\n')[0]?.replace(/ at line.*$/, '') ?? message,
      })),
    };
  try {
    return { value: document.toJS(), text };
  } catch (error) {
    return { mistakes: [{ line: 1, what: error instanceof Error ? error.message : String(error) }] };
  }
};

/** The line of what a JSON pointer leads to, or of the last of its members that is there. */
export const lineFinder = (text: string): ((pointer: string) => number) => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  return (pointer) => {
    const path = namesInPointer(pointer) ?? [];
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as Node | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
};
