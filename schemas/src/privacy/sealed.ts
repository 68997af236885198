/**
 * Texts that people write stand in a fact as a salted commitment; text and salt are kept beside the log, where they can be erased.
 * `sealed:` and base64url(SHA-256(salt || text in UTF-8)), the salt 32 bytes of chance: without the salt nothing can be guessed from
 * it, with text and salt it proves what was said.
 */
import { type AnySha256, webSha256 } from '../tlog/hash.ts';

export const saltBytes = 32;
/** What stands where a text was erased. */
export const erasedText = '[erased]';
/** What stands where texts are kept, and that store does not answer. */
export const awayText = '[not available now]';

const pattern = /sealed:[A-Za-z0-9_-]{43}/g;
const whole = /^sealed:[A-Za-z0-9_-]{43}$/;
const utf8 = new TextEncoder();

export const isSealed = (text: string): boolean => whole.test(text);

export const commitmentOf = async (salt: Uint8Array, text: string, sha256: AnySha256 = webSha256): Promise<string> => {
  const hash = await sha256(Uint8Array.from([...salt, ...utf8.encode(text)]));
  return `sealed:${btoa(String.fromCharCode(...hash))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')}`;
};

/** The commitments in a value of JSON, however deep. */
export const sealedIn = (value: unknown, found: Set<string> = new Set()): Set<string> => {
  if (typeof value === 'string') {
    if (value.includes('sealed:')) for (const [one] of value.matchAll(pattern)) found.add(one);
  } else if (Array.isArray(value)) for (const each of value) sealedIn(each, found);
  else if (isPlain(value)) for (const each of Object.values(value)) sealedIn(each, found);
  return found;
};

/** The value with the texts in place of their commitments; `[erased]` where one is kept no more. */
export const withTexts = <Value>(value: Value, texts: ReadonlyMap<string, string>): Value => {
  const shown = (one: unknown): unknown => {
    if (typeof one === 'string')
      return one.includes('sealed:') ? one.replace(pattern, (found) => texts.get(found) ?? erasedText) : one;
    if (Array.isArray(one)) return one.map(shown);
    return isPlain(one) ? Object.fromEntries(Object.entries(one).map(([name, each]) => [name, shown(each)])) : one;
  };
  return shown(value) as Value;
};

/** Of the commitments, the texts that are still kept. */
export type SealedTexts = (commitments: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** As {@link withTexts}; a store that does not answer is said in its place, and fails nothing. */
export const showTexts = async <Value>(value: Value, texts: SealedTexts): Promise<Value> => {
  const found = [...sealedIn(value)];
  if (found.length === 0) return value;
  const known = await texts(found).catch(() => new Map(found.map((one) => [one, awayText])));
  return withTexts(value, known);
};

// Whatever writes itself as JSON in its own way (a Date, a Map) is left alone: it holds no texts of facts.
const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null);
