/** What reading any sentence comes to. */

export type Read<Sentence> = { readonly sentence: Sentence } | { readonly what: string; readonly fix: string };

export const mistaken = (what: string, forms: readonly string[]) => ({ what, fix: `write ${forms.join('; or ')}` });

/** `a, b and c`, in words. */
export const listOf = (words: readonly string[]): string[] =>
  words
    .join(' ')
    .split(/\s*,\s*|\s+and\s+/)
    .map((each) => each.trim())
    .filter((each) => each !== '');

/** A sentence, and where it stands. */
export type Placed<Sentence> = {
  readonly sentence: Sentence;
  readonly text: string;
  readonly file: string;
  readonly line: number;
};
