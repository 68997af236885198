/**
 * The head of an API's answer, read strictly (RFC 9112 §4, §5, §6.3): where its end, or the end of the body behind it, could be read in two ways
 * nothing of it is passed on.
 */

export type ResponseHead = {
  readonly status: number;
  readonly message: string;
  /** As they came: name and value by turns. */
  readonly raw: readonly string[];
  /** How long the body is: octets, or where its end is told. */
  readonly body: number | 'chunked' | 'to-the-end';
  /** The Content-Length, also where no body follows. */
  readonly length: number | undefined;
  /** The connection may carry another request. */
  readonly persists: boolean;
  /** For how long the API says it keeps the connection; ms. */
  readonly keepsMs: number | undefined;
};
export type Malformed = { readonly why: string };

/** Any control character but a tab, and any line's end but CR LF. */
const forbidden = /[^\t\r\n\x20-\x7e\x80-\xff]|\r[^\n]|[^\r]\n/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const digits = /^\d{1,15}$/;

type Meaning = 'length' | 'encoding' | 'connection' | 'keep-alive' | 'none';
type Name = { readonly text: string; readonly meaning: Meaning };
const meanings: Readonly<Record<string, Meaning>> = {
  'content-length': 'length',
  'transfer-encoding': 'encoding',
  connection: 'connection',
  'keep-alive': 'keep-alive',
};

/** Names as APIs spelled them. They repeat few, and the same text each time is quicker to look up than one that was just read. */
const known = new Map<string, Name>();
const knownMax = 2_000;
/** Undefined where it is no name. */
const nameOf = (read: string): Name | undefined => {
  const before = known.get(read);
  if (before !== undefined || !token.test(read)) return before;
  if (known.size >= knownMax) known.clear();
  // A text of its own: a part of a head would keep the whole of it.
  const text = Buffer.from(read, 'latin1').toString('latin1');
  const name: Name = { text, meaning: meanings[text.toLowerCase()] ?? 'none' };
  known.set(text, name);
  return name;
};

/** `text`: from the status line to the CR LF of the last header, one character an octet. `method`: the request's. */
export const readResponseHead = (text: string, method: string): ResponseHead | Malformed => {
  if (forbidden.test(text)) return { why: 'its head holds a control character, or a line that does not end in CR LF' };
  const version = text.startsWith('HTTP/1.1 ') ? 1 : text.startsWith('HTTP/1.0 ') ? 0 : undefined;
  if (version === undefined) return { why: 'it does not begin with a status line' };
  const firstEnd = text.indexOf('\r\n');
  const status = Number(text.slice(9, 12));
  if (!(status >= 100 && status <= 999) || (firstEnd !== 12 && text.charCodeAt(12) !== 32))
    return { why: 'its status is no number of three digits' };
  const message = firstEnd > 13 ? text.slice(13, firstEnd) : '';

  const raw: string[] = [];
  let length: string | undefined;
  let encoding: string | undefined;
  let connection: string | undefined;
  let keepAlive: string | undefined;
  for (let at = firstEnd + 2; at < text.length; ) {
    const end = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    if (colon === -1 || colon > end) return { why: 'a line of its head is no header' };
    const name = nameOf(text.slice(at, colon));
    // A header that goes on in the next line begins that line with a space, which is in no name.
    if (name === undefined) return { why: 'the name of a header is no token' };
    const { meaning } = name;
    const value = trimmed(text, colon + 1, end);
    raw.push(name.text, value);
    at = end + 2;
    if (meaning === 'none') continue;
    if (meaning === 'length') {
      if (length !== undefined) return { why: 'it says its length twice' };
      length = value;
    } else if (meaning === 'encoding') {
      if (encoding !== undefined) return { why: 'it says its transfer coding twice' };
      encoding = value;
    } else if (meaning === 'connection') connection = connection === undefined ? value : `${connection},${value}`;
    else keepAlive ??= value;
  }
  if (length !== undefined && !digits.test(length)) return { why: 'its Content-Length is no number' };
  if (encoding !== undefined) {
    if (length !== undefined) return { why: 'it has a Content-Length and a Transfer-Encoding' };
    if (version === 0) return { why: 'HTTP/1.0 has no transfer codings' };
    if (encoding.toLowerCase() !== 'chunked') return { why: 'its transfer coding is not chunked' };
  }
  const bytes = length === undefined ? undefined : Number(length);
  const empty = method === 'HEAD' || status < 200 || status === 204 || status === 304;
  const body = empty ? 0 : encoding !== undefined ? 'chunked' : (bytes ?? 'to-the-end');
  return {
    status,
    message,
    raw,
    body,
    length: bytes,
    persists: body !== 'to-the-end' && persists(version, connection),
    keepsMs: keepAlive === undefined ? undefined : timeoutOf(keepAlive),
  };
};

/** Without the spaces and tabs around it. */
const trimmed = (text: string, from: number, to: number): string => {
  let [start, end] = [from, to];
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
};
const isSpace = (code: number): boolean => code === 32 || code === 9;

const persists = (version: 0 | 1, connection: string | undefined): boolean => {
  if (connection === undefined) return version === 1;
  const options = connection
    .toLowerCase()
    .split(',')
    .map((each) => each.trim());
  return version === 1 ? !options.includes('close') : options.includes('keep-alive') && !options.includes('close');
};

const timeoutOf = (keepAlive: string): number | undefined => {
  const [, seconds] = /(?:^|[\s,;])timeout\s*=\s*(\d{1,6})\b/i.exec(keepAlive) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
};
