/**
 * Filters (RFC 7644 §3.4.2.2), the whole grammar: a recursive descent over it. Three libraries were tried before, and each read
 * some filter as another one; see docs/adr/0021.
 */
import { refuse } from './failures.ts';

export type Comparison = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';
export type Filter =
  | { readonly op: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly op: 'not'; readonly filter: Filter }
  | { readonly op: 'pr'; readonly path: string }
  | { readonly op: Comparison; readonly path: string; readonly value: string | number | boolean | null }
  /** Some one value of the list meets all of it; `sub`: and is then looked at further (`emails[type eq "work"].value eq …`). */
  | { readonly op: 'some'; readonly path: string; readonly filter: Filter };

const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']);
const textMax = 20_000;
const depthMax = 50;

/** One token: text in quotes, a bracket, or whatever stands between blanks and brackets. */
const token = /\s*(?:("(?:[^"\\]|\\.)*")|([()[\]])|([^\s()[\]"]+))/y;

type Reader = { readonly peek: () => string | undefined; readonly take: () => string; readonly text: string };

/** Throws `grants/scim-invalid` (invalidFilter). */
export const parseFilter = (text: string): Filter => {
  if (text.length > textMax) throw wrong(text.slice(0, 60), 'it is too long');
  const reader = readerOf(text);
  const filter = or(reader, 0);
  if (reader.peek() !== undefined) throw wrong(text, `nothing is expected at ${reader.peek()}`);
  return filter;
};

const readerOf = (text: string): Reader => {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (text.slice(token.lastIndex).trim() !== '') {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (found === null) throw wrong(text, `it cannot be read at ${text.slice(at, at + 20)}`);
    tokens.push(found[1] ?? found[2] ?? found[3] ?? '');
  }
  let at = 0;
  return {
    text,
    peek: () => tokens[at],
    take: () => {
      const next = tokens[at++];
      if (next === undefined) throw wrong(text, 'it ends too early');
      return next;
    },
  };
};

const or = (reader: Reader, depth: number): Filter => joined('or', and, reader, depth);
const and = (reader: Reader, depth: number): Filter => joined('and', one, reader, depth);
const joined = (
  op: 'and' | 'or',
  part: (reader: Reader, depth: number) => Filter,
  reader: Reader,
  depth: number,
): Filter => {
  const first = part(reader, depth);
  const filters = [first];
  while (reader.peek()?.toLowerCase() === op) {
    reader.take();
    filters.push(part(reader, depth));
  }
  return filters.length === 1 ? first : { op, filters };
};

const one = (reader: Reader, depth: number): Filter => {
  if (depth > depthMax) throw wrong(reader.text.slice(0, 60), 'it nests too deeply');
  const next = reader.take();
  if (next === '(') return closed(or(reader, depth + 1), ')', reader);
  if (next.toLowerCase() === 'not' && reader.peek() === '(') {
    reader.take();
    return { op: 'not', filter: closed(or(reader, depth + 1), ')', reader) };
  }
  if (!/^[a-z$][^"]*$/i.test(next)) throw wrong(reader.text, `an attribute is expected at ${next}`);
  if (reader.peek() !== '[') return compared(next, reader);
  reader.take();
  const filter = closed(or(reader, depth + 1), ']', reader);
  const rest = reader.peek();
  // `emails[type eq "work"].value eq "x"`: one and the same value has to meet both.
  if (rest?.startsWith('.') !== true) return { op: 'some', path: next, filter };
  reader.take();
  return { op: 'some', path: next, filter: { op: 'and', filters: [filter, compared(rest.slice(1), reader)] } };
};

const compared = (path: string, reader: Reader): Filter => {
  const op = reader.take().toLowerCase();
  if (op === 'pr') return { op, path };
  if (!comparisons.has(op)) throw wrong(reader.text, `${op} is no operator`);
  return { op: op as Comparison, path, value: literal(reader.take(), reader) };
};

const literal = (text: string, reader: Reader): string | number | boolean | null => {
  // Entra ID writes True and False.
  const lower = text.toLowerCase();
  try {
    const value: unknown = JSON.parse(lower === 'true' || lower === 'false' ? lower : text);
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value;
  } catch {
    // Told below.
  }
  throw wrong(reader.text, `${text} is neither text in double quotes nor a number, true, false or null`);
};

const closed = (filter: Filter, bracket: string, reader: Reader): Filter => {
  if (reader.peek() !== bracket) throw wrong(reader.text, `${bracket} is missing`);
  reader.take();
  return filter;
};

const wrong = (text: string, why: string) => refuse('invalidFilter', `the filter ${text}: ${why}`);
