/**
 * What becomes of each request header. Whoever is behind the gate believes what the gate says of a caller, so a client's own word
 * on that is deleted first, always, and only then is ours set.
 */
export type HeaderRule =
  /** Goes on as it came. */
  | 'pass'
  /** Goes on, and may come once only. */
  | 'once'
  /** Ends here. */
  | 'drop'
  /** Read by the gate, may come once only, ends here. */
  | 'ours';

export type HeaderName = {
  readonly name: string;
  readonly rule: HeaderRule;
  /** The spelling it came in: always the same text, which is quicker to look up than one that was just read. */
  readonly sent: string;
};

const ours = [
  'host',
  'authorization',
  'x-api-key',
  'dpop',
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
  'traceparent',
];
const once = ['content-type', 'origin', 'sec-websocket-key', 'sec-websocket-version', 'access-control-request-method'];
/** Hop by hop (RFC 9110 §7.6.1), or a claim about the caller, the address or the target that only the gate may make. */
const dropped = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'client-cert',
  'client-cert-chain',
  'x-client-cert',
  'x-ssl-client-cert',
  'x-ssl-client-s-dn',
  'x-ssl-client-verify',
  'te',
  'trailer',
  'http2-settings',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
  'x-cluster-client-ip',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
  'x-original-uri',
  'x-original-host',
  'x-host',
  'x-url-scheme',
  'front-end-https',
  'remote-user',
  'x-remote-user',
  'x-authenticated-user',
]);
const droppedPrefixes = ['postern-', 'x-forwarded-', 'x-auth-request-', 'x-original-', 'x-envoy-'];

const rules = new Map<string, HeaderRule>([
  ...ours.map((name): [string, HeaderRule] => [name, 'ours']),
  ...once.map((name): [string, HeaderRule] => [name, 'once']),
]);

/** As sent → as judged; clients repeat few names, so nearly every look-up ends here. */
const known = new Map<string, HeaderName>();
const knownMax = 2_000;

export const headerName = (raw: string): HeaderName => {
  const found = known.get(raw);
  if (found !== undefined) return found;
  const judged = judge(raw);
  if (known.size >= knownMax) known.clear();
  known.set(raw, judged);
  return judged;
};

const plainName = /^[A-Za-z0-9-]+$/;

const judge = (raw: string): HeaderName => {
  const name = raw.toLowerCase();
  // CGI, WSGI and their heirs read X_User and X.User as X-User: a second spelling of every header that is dropped here.
  if (!plainName.test(raw)) return { name, rule: 'drop', sent: raw };
  if (dropped.has(name) || droppedPrefixes.some((prefix) => name.startsWith(prefix)))
    return { name, rule: 'drop', sent: raw };
  return { name, rule: rules.get(name) ?? 'pass', sent: raw };
};

/** The names that a Connection header declares to be of this hop only, lower-case. */
export const hopNames = (connection: string): string[] =>
  connection
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
