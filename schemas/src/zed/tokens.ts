/** The words of a SpiceDB schema, each with its place. Comments are left out; whatever stands in a caveat's body is taken apart too. */

export type ZedToken = {
  /** `end` closes every list, so that a reader never runs off it. */
  readonly kind: 'word' | 'string' | 'symbol' | 'end';
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** Offsets into the text: `from` inclusive, `to` exclusive. */
  readonly from: number;
  readonly to: number;
};

const space = /[ \t\r\n\f\v\uFEFF]+/y;
const comment = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const word = /[A-Za-z_][A-Za-z0-9_]*(?:\/[A-Za-z_][A-Za-z0-9_]*)*|\d[\w.]*/y;
const string = /"""[\s\S]*?(?:"""|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?/y;
const symbol = /->|\.\.\.|[\s\S]/y;

const kinds = [
  ['word', word],
  ['string', string],
  ['symbol', symbol],
] as const;

/** Never throws: what is no word of the language comes out as a symbol, for the parser to complain about. */
export const zedTokens = (text: string): readonly ZedToken[] => {
  const tokens: ZedToken[] = [];
  let at = 0;
  let line = 1;
  const skip = (pattern: RegExp): boolean => {
    const found = matchAt(pattern, text, at);
    if (found === undefined) return false;
    for (const character of found) if (character === '\n') line++;
    at += found.length;
    return true;
  };
  while (at < text.length) {
    if (skip(space) || skip(comment)) continue;
    for (const [kind, pattern] of kinds) {
      const found = matchAt(pattern, text, at);
      if (found === undefined) continue;
      tokens.push({ kind, text: found, line, from: at, to: at + found.length });
      for (const character of found) if (character === '\n') line++;
      at += found.length;
      break;
    }
  }
  tokens.push({ kind: 'end', text: '', line, from: at, to: at });
  return tokens;
};

const matchAt = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};
