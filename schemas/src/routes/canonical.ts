/**
 * The one reading of a request target. What is decided on must be, octet for octet, what the API behind the gate receives, and no
 * server on the way may understand another path by it. So there is no repair here: a target that could be spelled or understood
 * in another way is refused (RFC 3986 §3.3 gives the alphabet; the WHATWG URL parser and decoding servers are the other readers).
 */
export type Target =
  | {
      readonly outcome: 'read';
      /** As received, without the query. */
      readonly path: string;
      /** As received, with its `?`; empty where there is none. */
      readonly query: string;
      /** Percent-decoded; the last one is empty where the path ends with a slash. */
      readonly segments: readonly string[];
    }
  | { readonly outcome: 'ambiguous'; readonly why: string };

/** Longest target that is read, in octets: below what servers accept by default (8 KiB for the whole request line). */
export const targetBytesMax = 8_000;

const unreserved = 1;
/** May stand as it is or encoded: both spellings decode to the same text, and the decoded text is what is matched. */
const either = 2;
/** Must be encoded. */
const encodedOnly = 3;
/** Neither: some server treats it as structure, before or after decoding. */
const never = 0;

const classes = new Uint8Array(256).fill(never);
const classify = (characters: string, as: number): void => {
  for (const character of characters) classes[character.charCodeAt(0)] = as;
};
classify('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~', unreserved);
classify("!$&'()*+,=:@", either);
classify(' "<>[]^`{|}', encodedOnly);
for (let octet = 0x80; octet <= 0xff; octet++) classes[octet] = encodedOnly;

const slash = 0x2f;
const percent = 0x25;
const names: Readonly<Record<number, string>> = {
  92: 'a backslash',
  59: 'a semicolon',
  35: 'a hash sign',
  63: 'a question mark',
  37: 'a percent sign',
  47: 'a slash',
};
const nameOf = (octet: number): string =>
  names[octet] ?? `the octet 0x${octet.toString(16).padStart(2, '0').toUpperCase()}`;
const refuse = (why: string): Target => ({ outcome: 'ambiguous', why });

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a request target as it stands in the request line (one character an octet, as Node gives it). Pure; never throws. */
export const readTarget = (raw: string): Target => {
  if (raw.length > targetBytesMax) return refuse(`the target is longer than ${targetBytesMax} octets`);
  if (raw.charCodeAt(0) !== slash) return refuse('the target does not begin with a slash');
  const mark = raw.indexOf('?');
  const path = mark < 0 ? raw : raw.slice(0, mark);
  const query = mark < 0 ? '' : raw.slice(mark);
  const segments: string[] = [];
  let begin = 1;
  let escaped = false;
  for (let at = 1; at <= path.length; at++) {
    const octet = at === path.length ? slash : path.charCodeAt(at);
    if (octet === slash) {
      const last = at === path.length;
      if (at === begin && !last) return refuse('the path holds an empty segment');
      const text = path.slice(begin, at);
      const segment = escaped ? decode(text) : text;
      if (segment === undefined) return refuse('a percent-encoded sequence is not text in UTF-8');
      if (segment === '.' || segment === '..') return refuse('the path holds a dot segment');
      segments.push(segment);
      begin = at + 1;
      escaped = false;
    } else if (octet === percent) {
      const why = wrongEscape(path, at);
      if (why !== undefined) return refuse(why);
      escaped = true;
      at += 2;
    } else {
      const kind = octet > 0xff ? never : classes[octet];
      if (kind !== unreserved && kind !== either) return refuse(`the path holds ${nameOf(octet)}`);
    }
  }
  for (let at = 0; at < query.length; at++) {
    const octet = query.charCodeAt(at);
    if (octet <= 0x20 || octet >= 0x7f || octet === 0x23) return refuse(`the query holds ${nameOf(octet)}`);
  }
  return { outcome: 'read', path, query, segments };
};

/** Why the escape that begins at `at` is refused, or undefined. */
const wrongEscape = (path: string, at: number): string | undefined => {
  const high = hexDigit(path.charCodeAt(at + 1));
  const low = hexDigit(path.charCodeAt(at + 2));
  if (high < 0 || low < 0) return 'a percent sign has no two upper-case hex digits behind it';
  const octet = high * 16 + low;
  const kind = classes[octet];
  if (kind === unreserved) return `"${String.fromCharCode(octet)}" is percent-encoded without need`;
  return kind === never ? `the path holds ${nameOf(octet)}, percent-encoded` : undefined;
};

/** Upper-case only: `%c3` and `%C3` would be two spellings of one path. */
const hexDigit = (code: number): number =>
  code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x41 && code <= 0x46 ? code - 0x37 : -1;

const decode = (text: string): string | undefined => {
  const octets: number[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) !== percent) octets.push(text.charCodeAt(at));
    else {
      octets.push(hexDigit(text.charCodeAt(at + 1)) * 16 + hexDigit(text.charCodeAt(at + 2)));
      at += 2;
    }
  }
  try {
    const segment = utf8.decode(Uint8Array.from(octets));
    // C1 controls: no API means them, and some readers drop them.
    for (let at = 0; at < segment.length; at++) {
      const code = segment.charCodeAt(at);
      if (code >= 0x80 && code <= 0x9f) return undefined;
    }
    return segment;
  } catch {
    return undefined;
  }
};

/** Does the query hold a parameter of this name? Names are compared decoded, as a form-decoding server would. */
export const hasQueryParameter = (query: string, name: string): boolean =>
  query.length > 1 && new URLSearchParams(query).has(name);
