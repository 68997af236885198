/**
 * One line of Common or Combined Log Format, scanned from left to right: no expression that could backtrack, and nothing guessed. Apache
 * and nginx both write a quote inside a field as an escape, so the first bare quote opens the request; what is before it ends in
 * `[time] `, and a name in between that itself looks like a time or has spaces changes nothing.
 */

export type LogLine = {
  readonly host: string;
  /** As Basic authentication named it; "-" where there was nobody. */
  readonly user: string;
  /** `20/Nov/2026:09:00:00 +0100` */
  readonly time: string;
  readonly request: string;
  readonly status: number;
};

const quote = '"';

export const readLogLine = (line: string): LogLine | undefined => {
  const opened = closing(line, 0);
  const before = line.slice(0, Math.max(opened, 0));
  if (!before.endsWith('] ')) return undefined;
  const bracket = before.lastIndexOf(' [');
  const [host = '', rest] = cut(before.slice(0, Math.max(bracket, 0)));
  const [ident = '', user = ''] = cut(rest ?? '');
  if (host === '' || ident === '' || user === '') return undefined;
  const closed = closing(line, opened + 1);
  if (closed < 0) return undefined;
  const tail = /^ (\d{3}) (?:\d+|-)(?= |$)/.exec(line.slice(closed + 1, closed + 40));
  const fields = [user, line.slice(opened + 1, closed)].map(unescaped);
  const [name, request] = fields;
  if (tail?.[1] === undefined || name === undefined || request === undefined) return undefined;
  if (!isQuotedTail(line, closed + 1 + tail[0].length)) return undefined;
  return { host, user: name, time: before.slice(bracket + 2, -2), request, status: Number(tail[1]) };
};

/** The first word, and what follows the space behind it. */
const cut = (text: string): readonly [string, string?] => {
  const space = text.indexOf(' ');
  return space < 0 ? [text] : [text.slice(0, space), text.slice(space + 1)];
};

/** The first bare quote from there on; -1 where there is none. */
const closing = (line: string, from: number): number => {
  for (let at = from; at < line.length; at++) {
    if (line[at] === '\\') at++;
    else if (line[at] === quote) return at;
  }
  return -1;
};

/** Whatever a server's own format adds: words and quoted fields. A second request and time there mean that one line is two. */
const isQuotedTail = (line: string, from: number): boolean => {
  for (let at = from; at < line.length; at++) {
    if (line[at] === '[') return false;
    if (line[at] !== quote) continue;
    at = closing(line, at + 1);
    if (at < 0) return false;
  }
  return true;
};

const single: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, b: 8, v: 11, f: 12 };
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Apache's `\"`, `\\` and `\n`, and the `\xHH` of both; undefined where it is neither's, or no UTF-8. */
export const unescaped = (text: string): string | undefined => {
  if (!text.includes('\\')) return text;
  const bytes: Uint8Array[] = [];
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\\', at);
    const plain = next < 0 ? text.length : next;
    bytes.push(Buffer.from(text.slice(at, plain)));
    if (next < 0) break;
    const kind = text[next + 1] ?? '';
    const hex = /^[0-9a-f]{2}/i.exec(text.slice(next + 2, next + 4))?.[0];
    if (kind === 'x' && hex !== undefined) bytes.push(Buffer.from(hex, 'hex'));
    else if (kind === quote || kind === '\\') bytes.push(Buffer.from(kind));
    else if (single[kind] !== undefined) bytes.push(Buffer.of(single[kind]));
    else return undefined;
    at = next + (kind === 'x' ? 4 : 2);
  }
  try {
    return utf8.decode(Buffer.concat(bytes));
  } catch {
    return undefined;
  }
};

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const stamp =
  /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d{1,9})? ([+-])(\d{2})([0-5]\d)$/;

/** RFC 3339, UTC; undefined where it is no instant: a day that its month has not is none. */
export const instantOf = (time: string): string | undefined => {
  const [whole, day = '', name = '', year = '', hour = '', minute = '', second = '', sign, hours = '', minutes = ''] =
    stamp.exec(time) ?? [];
  const month = months.indexOf(name);
  if (whole === undefined || month < 0) return undefined;
  const local = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  if (new Date(Date.UTC(Number(year), month, Number(day))).getUTCDate() !== Number(day)) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  const at = new Date(local - offset * 60_000);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
};
