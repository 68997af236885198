/** The top level of a schema: which definitions and caveats stand where, found by braces alone, whatever is between them. */
import { type ZedToken, zedTokens } from './tokens.ts';

export type ZedItem =
  | { readonly kind: 'use'; readonly name: string; readonly line: number; readonly from: number; readonly to: number }
  | {
      readonly kind: 'definition' | 'caveat';
      readonly name: string;
      readonly line: number;
      readonly from: number;
      readonly to: number;
    };
export type ZedStray = { readonly line: number; readonly what: string; readonly fix: string };
export type ZedItems = { readonly items: readonly ZedItem[]; readonly strays: readonly ZedStray[] };

const known = 'write "definition NAME { … }", "caveat NAME(…) { … }" or "use NAME" here';

export const zedItems = (text: string): ZedItems => {
  const tokens = zedTokens(text);
  const items: ZedItem[] = [];
  const strays: ZedStray[] = [];
  let at = 0;
  const token = (): ZedToken => tokens[Math.min(at, tokens.length - 1)] as ZedToken;
  const stray = (what: string, fix = known): void => void strays.push({ line: token().line, what, fix });
  const toNextItem = (): void => {
    for (at++; !(token().kind === 'end' || /^(definition|caveat|use|import|partial)$/.test(token().text)); ) at++;
  };
  while (token().kind !== 'end') {
    const first = token();
    const name = tokens[at + 1];
    if (first.text === 'use' && name?.kind === 'word') {
      items.push({ kind: 'use', name: name.text, line: first.line, from: first.from, to: name.to });
      at += 2;
    } else if ((first.text === 'definition' || first.text === 'caveat') && name?.kind === 'word') {
      const end = closingBrace(tokens, at);
      if (end === undefined) {
        stray(`the ${first.text} ${name.text} is not closed`, 'close it with "}" on a line of its own');
        toNextItem();
        continue;
      }
      const to = (tokens[end] as ZedToken).to;
      items.push({ kind: first.text, name: name.text, line: first.line, from: first.from, to });
      at = end + 1;
    } else if (first.text === 'import') {
      stray('files are not imported', 'name every file or their folder under model.schema; they are read together');
      toNextItem();
    } else if (first.text === 'partial') {
      stray('the engine takes no partials', 'write the relations out in each definition');
      toNextItem();
    } else {
      stray(`"${first.text}" is not expected here`);
      toNextItem();
    }
  }
  return { items, strays };
};

/** The index of the brace that closes the item which begins at `from`; undefined where another item begins before it. */
const closingBrace = (tokens: readonly ZedToken[], from: number): number | undefined => {
  let depth = 0;
  for (let at = from + 1; at < tokens.length; at++) {
    const { text, kind } = tokens[at] as ZedToken;
    if (kind !== 'symbol') {
      if (text === 'definition' && tokens[at + 2]?.text === '{') return undefined;
      continue;
    }
    if (text === '{') depth++;
    if (text === '}' && --depth === 0) return at;
  }
  return undefined;
};
