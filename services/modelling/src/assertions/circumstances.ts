/** Where, when and with what token a call comes: `at INSTANT from IP in COUNTRY`, `with scopes a,b and acr gold`. */
import type { Context } from '@postern/schemas';

export type Circumstances = Partial<Context>;
export type Under = {
  readonly circumstances: Circumstances;
  /** OAuth scopes of a delegated token; undefined: the token is not delegated. */
  readonly scopes?: readonly string[];
};
type Reading = {
  now?: string;
  ip?: string;
  country?: string;
  acr?: string;
  amr?: readonly string[];
  scopes?: readonly string[];
};
type Refused = { readonly what: string };

/** Words that begin a circumstance, and so end what stands before. */
export const begins = (word: string | undefined): boolean => /^(at|from|in|with)$/.test(word ?? '');

/** `about` what was read before, elsewhere in the sentence; nothing may be said twice. */
export const readUnder = (words: readonly string[], about: Under = { circumstances: {} }): Under | Refused => {
  const read: Reading = {};
  for (let at = 0; at < words.length; ) {
    const [word = '', value = ''] = [words[at], words[at + 1]];
    if (word === 'with') {
      const taken = readClaims(words, at + 1, read);
      if (typeof taken !== 'number') return taken;
      at = taken;
      continue;
    }
    const [name, found] = readOne(word, value);
    if (name === undefined) return { what: `"${[word, value].join(' ').trim()}" is not understood` };
    if (read[name] !== undefined) return { what: `"${word}" stands twice` };
    Object.assign(read, { [name]: found });
    at += 2;
  }
  const { scopes, ...circumstances } = read;
  const twice = [...Object.keys(circumstances), ...(scopes === undefined ? [] : ['scopes'])].find(
    (name) => name in about.circumstances || (name === 'scopes' && about.scopes !== undefined),
  );
  if (twice !== undefined) return { what: `"${twice}" stands twice` };
  const all = scopes ?? about.scopes;
  return { circumstances: { ...about.circumstances, ...circumstances }, ...(all !== undefined && { scopes: all }) };
};

const readOne = (
  word: string,
  value: string,
): readonly ['now' | 'ip' | 'country', string] | readonly [undefined, undefined] => {
  if (word === 'at' && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)))
    return ['now', new Date(value).toISOString()];
  if (word === 'from' && /^[0-9a-fA-F.:]+$/.test(value)) return ['ip', value];
  if (word === 'in' && /^[A-Z]{2}$/.test(value)) return ['country', value];
  return [undefined, undefined];
};

/** `scopes a,b and acr gold and amr otp,hwk`, `no scopes`: answers the index behind them. */
const readClaims = (words: readonly string[], from: number, read: Reading): number | Refused => {
  for (let at = from; ; at++) {
    const none = words[at] === 'no' && words[at + 1] === 'scopes';
    const [name = '', text = ''] = none ? ['scopes', ''] : [words[at], words[at + 1]];
    if (name !== 'scopes' && name !== 'acr' && name !== 'amr')
      return { what: `"with ${words.slice(from).join(' ')}" names no claim: scopes, acr and amr are known` };
    const values = text.split(',').filter((each) => each !== '');
    if (!none && (values.length === 0 || (begins(text) && words.length === at + 2)))
      return { what: `"${name}" stands without what belongs to it` };
    if (read[name] !== undefined) return { what: `"${name}" stands twice` };
    if (name === 'acr') {
      if (values.length > 1) return { what: 'a token has one acr' };
      read.acr = text;
    } else read[name] = name === 'amr' ? [...new Set(values)].sort() : values;
    at += 2;
    if (words[at] !== 'and') return at;
  }
};
