/** The first rung: one reading of the request, or none. Nothing behind it looks at the raw request again. */
import { hasQueryParameter, type ProblemCode, readTarget, sessionHeader } from '@postern/schemas';
import { type Presented, presentedBy } from '../identify/presented.ts';
import { parseCookies, presentedIn, sessionOf } from '../identify/session-cookie.ts';
import type { AddressReader } from './address.ts';
import { headerName, hopNames } from './headers.ts';

export type ReadRequest = {
  readonly outcome: 'read';
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly segments: readonly string[];
  readonly authorization: string | undefined;
  readonly apiKey: string | undefined;
  /** A proof of possession (RFC 9449). */
  readonly dpop: string | undefined;
  /** The certificate that the connection was made with. */
  readonly certificate: Presented | undefined;
  readonly host: string;
  /** The host that a trusted proxy was called by. */
  readonly forwardedHost: string | undefined;
  readonly ip: string | undefined;
  readonly scheme: 'http' | 'https';
  readonly traceparent: string | undefined;
  /** What goes on to the API, name and value by turns, before ours are added. */
  readonly headers: readonly string[];
  readonly body:
    | { readonly kind: 'none' }
    | { readonly kind: 'sized'; readonly bytes: number }
    | { readonly kind: 'chunked' };
  /** A browser asking on its own what another origin's page may send. It never carries a credential. */
  readonly preflight: boolean;
  /** The caller takes trailers (RFC 9110 §6.5.1). */
  readonly trailers: boolean;
  /** The caller asks how long each step took. */
  readonly asksTiming: boolean;
};
export type Unreadable = {
  readonly outcome: 'refused';
  readonly code: ProblemCode;
  readonly why: string;
  readonly method: string;
  readonly path: string;
};

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']);
const hostText = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const traceparentText = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const digits = /^\d{1,15}$/;

/** What is read of a request: Node's, or one that is only described. */
export type RequestHead = {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion?: string | undefined;
  /** Name and value by turns. */
  readonly rawHeaders: readonly string[];
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  /** `encrypted` is there, whatever it is, where the connection is. */
  readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean };
};

const versions: ReadonlySet<string> = new Set(['1.1', '1.0']);

export type Reader = (req: RequestHead, upgrade: boolean) => ReadRequest | Unreadable;

export const requestReader =
  (addressOf: AddressReader): Reader =>
  (req, upgrade) => {
    const method = req.method ?? '';
    const raw = req.url ?? '';
    const refuse = (code: ProblemCode, why: string): Unreadable => ({
      outcome: 'refused',
      code,
      why,
      method,
      path: raw,
    });
    const ambiguous = (why: string): Unreadable => refuse('proxy/ambiguous-request', why);

    // Node's parser takes HTTP/0.9 and HTTP/2.0 for versions of a request line; real HTTP/2 comes in frames, and in a stream.
    if (req.httpVersion !== undefined && !versions.has(req.httpVersion) && !('stream' in req))
      return ambiguous(`HTTP/${req.httpVersion} has no request line like this`);

    const target = readTarget(raw);
    if (target.outcome === 'ambiguous') return ambiguous(target.why);
    if (!methods.has(method))
      return refuse('proxy/method-not-supported', `the method ${method.slice(0, 40)} passes nowhere`);
    if (hasQueryParameter(target.query, '_method')) return ambiguous('the query names another method');
    if (upgrade && method !== 'GET') return ambiguous(`a ${method} request cannot switch protocols`);

    const sorted = sortHeaders(req.rawHeaders);
    if ('twice' in sorted) return ambiguous(`the header ${sorted.twice} comes twice`);
    const { single, headers } = sorted;
    const host = single.get('host') ?? '';
    if (!hostText.test(host)) return ambiguous('the Host header is missing or names no host');
    const expect = single.get('expect');
    if (expect !== undefined && expect.toLowerCase() !== '100-continue')
      return ambiguous('the Expect header asks for what nobody does');

    const length = single.get('content-length');
    const encoding = single.get('transfer-encoding');
    if (encoding !== undefined && (length !== undefined || encoding.toLowerCase() !== 'chunked'))
      return ambiguous("the body's end can be read in more than one way");
    if (length !== undefined && !digits.test(length)) return ambiguous('the Content-Length is no number');
    const bytes = Number(length ?? 0);
    if (upgrade && (bytes > 0 || encoding !== undefined))
      return ambiguous('a request that switches protocols carries a body');

    const { ip, trusted } = addressOf(req.socket.remoteAddress, sorted.forwardedFor);
    const direct = 'encrypted' in req.socket;
    const encrypted = direct || (trusted && sorted.forwardedProto === 'https');
    const { forwardedHost } = sorted;
    const traceparent = single.get('traceparent');
    const scheme = encrypted ? 'https' : 'http';
    const authorization = single.get('authorization');
    const session =
      sorted.sessions.length === 0
        ? undefined
        : sessionOf({
            sessions: sorted.sessions,
            asked: sorted.fromConsole,
            path: target.path,
            origin: single.get('origin'),
            self: `${scheme}://${trusted ? (forwardedHost ?? host) : host}`,
          });
    return {
      outcome: 'read',
      method,
      path: target.path,
      query: target.query,
      segments: target.segments,
      ...presentedIn(authorization, single.get('x-api-key'), session),
      dpop: single.get('dpop'),
      certificate: direct ? presentedBy(req.socket) : undefined,
      host,
      forwardedHost: trusted && forwardedHost !== undefined && hostText.test(forwardedHost) ? forwardedHost : undefined,
      ip,
      scheme,
      traceparent: traceparent !== undefined && traceparentText.test(traceparent) ? traceparent : undefined,
      headers,
      body:
        encoding !== undefined
          ? { kind: 'chunked' }
          : bytes > 0 || length !== undefined
            ? { kind: 'sized', bytes }
            : { kind: 'none' },
      preflight: method === 'OPTIONS' && single.has('origin') && single.has('access-control-request-method'),
      trailers: sorted.trailers,
      asksTiming: sorted.asksTiming,
    };
  };

type Sorted = {
  readonly single: ReadonlyMap<string, string>;
  readonly headers: readonly string[];
  readonly forwardedFor: readonly string[];
  readonly forwardedProto: string | undefined;
  readonly trailers: boolean;
  readonly asksTiming: boolean;
  /** The console's cookies, and whether its page has sent them. */
  readonly sessions: readonly string[];
  readonly fromConsole: boolean;
  /** The first that came, which is the client's where there are several proxies: it is only compared with what the client signed. */
  readonly forwardedHost: string | undefined;
};

const takesTrailers = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i;

const sortHeaders = (raw: readonly string[]): Sorted | { readonly twice: string } => {
  const single = new Map<string, string>();
  const forwardedFor: string[] = [];
  let forwardedProto: string | undefined;
  let trailers = false;
  let asksTiming = false;
  let sessions: readonly string[] = [];
  let fromConsole = false;
  let forwardedHost: string | undefined;
  let hop: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2)
    if (raw[at]?.length === 10 && raw[at]?.toLowerCase() === 'connection')
      hop = [...hop, ...hopNames(raw[at + 1] ?? '')];
  const headers: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const { name, rule, sent } = headerName(raw[at] ?? '');
    const value = raw[at + 1] ?? '';
    if (rule === 'ours' || rule === 'once') {
      if (single.has(name)) return { twice: name };
      single.set(name, value);
    } else if (name === 'x-forwarded-for') forwardedFor.push(value);
    else if (name === 'x-forwarded-proto') forwardedProto = value.toLowerCase();
    else if (name === 'x-forwarded-host') forwardedHost ??= value.split(',', 1)[0]?.trim();
    else if (name === 'te') trailers ||= takesTrailers.test(value);
    else if (name === 'postern-timing') asksTiming = value === '1';
    else if (name === sessionHeader) fromConsole = value === '1';
    else if (name === 'cookie') {
      const cookies = parseCookies(value);
      if (cookies.sessions.length > 0) sessions = [...sessions, ...cookies.sessions];
      if (cookies.rest !== undefined && !hop.includes(name)) headers.push(sent, cookies.rest);
      continue;
    }
    if ((rule === 'pass' || rule === 'once') && !hop.includes(name)) headers.push(sent, value);
  }
  return { single, headers, forwardedFor, forwardedProto, forwardedHost, trailers, asksTiming, sessions, fromConsole };
};
