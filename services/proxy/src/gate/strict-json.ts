/**
 * JSON that every reader understands alike (RFC 8259 §4, §8): UTF-8 without a byte order mark, no object with a name twice, no half
 * of a surrogate pair in a name, no depth at which readers give up. The gate judges the text and passes on the same octets.
 */
export type StrictJson = { readonly value: unknown } | { readonly why: string };

/** Deeper texts are refused: readers' own limits differ. */
export const jsonDepthMax = 200;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const parseStrictJson = (bytes: Uint8Array): StrictJson => {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { why: 'the body is not text in UTF-8' };
  }
  return parseStrictText(text);
};

export const parseStrictText = (text: string): StrictJson => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { why: 'it is not JSON' };
  }
  const why = wrongWith(text);
  return why === undefined ? { value } : { why };
};

/** In place of a number its text: 1, 1.0 and 1e0 are one value, and some readers make three names of them. */
export const numberText: unique symbol = Symbol('the text of a number');
export const textOfNumber = (value: unknown): string | undefined =>
  typeof value === 'object' && value !== null && numberText in value && typeof value[numberText] === 'string'
    ? value[numberText]
    : undefined;

/** JSON that was found strict before, with its numbers as they are written. */
export const parseAsWritten = (text: string): unknown => {
  const asWritten = (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? { [numberText]: context?.source } : value;
  return JSON.parse(text, asWritten);
};

/** `text` is known to be JSON, so quotes, braces and commas are all that has to be looked at. */
const wrongWith = (text: string): string | undefined => {
  /** The names so far of each object around, and undefined for an array. */
  const around: (Set<string> | undefined)[] = [];
  let nameNext = false;
  for (let at = 0; at < text.length; at++)
    switch (text[at]) {
      case '{':
        around.push(new Set());
        nameNext = true;
        if (around.length > jsonDepthMax) return 'it is nested too deeply';
        break;
      case '[':
        around.push(undefined);
        nameNext = false;
        if (around.length > jsonDepthMax) return 'it is nested too deeply';
        break;
      case '}':
      case ']':
        around.pop();
        nameNext = false;
        break;
      case ',':
        nameNext = around.at(-1) !== undefined;
        break;
      case '"': {
        const begin = at;
        for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
        if (!nameNext) break;
        nameNext = false;
        const name: string = JSON.parse(text.slice(begin, at + 1));
        if (!name.isWellFormed()) return 'a name is not text';
        const names = around.at(-1);
        if (names?.has(name)) return `the name ${JSON.stringify(name)} stands twice in one object`;
        names?.add(name);
      }
    }
  return undefined;
};

/** Letters that some readers (Go's among them) take for one another in the names of members. */
export const folded = (name: string): string => name.toUpperCase().toLowerCase();

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
