/**
 * A request as another gateway describes it, by headers of its own question. The description becomes a request head that is read like
 * every other (gate/read.ts); here it is only made sure that there is exactly one description, and that it is the gateway's.
 *
 * nginx has to be told to set `X-Original-Method` and `X-Original-URI`; Traefik and Caddy set `X-Forwarded-Method` and `X-Forwarded-Uri`
 * by themselves. Each replaces what a client sent by the names that it uses, and lets the other names through: so a question that holds
 * names of both kinds is refused, or a client could describe its request itself wherever a gateway forgets to.
 */
import type { AddressReader } from '../gate/address.ts';
import type { RequestHead } from '../gate/read.ts';
import { gatewayHeader } from './trust.ts';

export type Description =
  | {
      readonly outcome: 'described';
      readonly head: RequestHead;
      readonly switches: boolean;
      /** nginx: it passes on headers of the answer and never its body. */
      readonly kind: 'original' | 'forwarded' | 'as-sent';
    }
  | { readonly outcome: 'unclear'; readonly why: string };

const original = new Set(['x-original-method', 'x-original-uri', 'x-original-url']);
const forwarded = new Set(['x-forwarded-method', 'x-forwarded-uri']);
const circumstances = new Set(['x-forwarded-host', 'x-forwarded-proto']);
/** Of the question itself, and not of the request that it is about. */
const ofTheQuestion = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'expect',
  'upgrade',
  gatewayHeader,
]);

type Said = {
  readonly single: ReadonlyMap<string, string>;
  readonly twice: string | undefined;
  readonly forwardedFor: readonly string[];
  /** The client's own headers. */
  readonly rest: readonly string[];
};

const sort = (raw: readonly string[]): Said => {
  const single = new Map<string, string>();
  const forwardedFor: string[] = [];
  const rest: string[] = [];
  let twice: string | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]?.toLowerCase() ?? '';
    const value = raw[at + 1] ?? '';
    if (original.has(name) || forwarded.has(name) || circumstances.has(name)) {
      if (single.has(name)) twice ??= name;
      single.set(name, value);
    } else if (name === 'x-forwarded-for') forwardedFor.push(value);
    else if (!ofTheQuestion.has(name)) rest.push(raw[at] ?? '', value);
  }
  return { single, twice, forwardedFor, rest };
};

const unclear = (why: string): Description => ({ outcome: 'unclear', why });

export type DescriptionReader = (question: RequestHead) => Description;

/** For nginx, Traefik and Caddy: everything about the request is said by headers. */
export const describedByHeaders =
  (addressOf: AddressReader): DescriptionReader =>
  (question) => {
    const said = sort(question.rawHeaders);
    const { single } = said;
    if (said.twice !== undefined) return unclear(`The gateway says ${said.twice} twice`);
    const names = [...single.keys()];
    const isOriginal = names.some((name) => original.has(name));
    const isForwarded = names.some((name) => forwarded.has(name));
    if (isOriginal && isForwarded)
      return unclear('The request is described both by X-Original-… and by X-Forwarded-… headers');
    const method = single.get(isOriginal ? 'x-original-method' : 'x-forwarded-method');
    const place = isOriginal ? originalPlace(single) : { target: single.get('x-forwarded-uri') };
    if (place === undefined) return unclear('X-Original-URI and X-Original-URL name two places');
    const host = single.get('x-forwarded-host') ?? place.host;
    if (method === undefined || place.target === undefined || host === undefined)
      return unclear(
        `The gateway does not say which request it asks about: ${method === undefined ? 'its method' : place.target === undefined ? 'its target' : 'its host'} is missing`,
      );
    return {
      outcome: 'described',
      kind: isOriginal ? 'original' : 'forwarded',
      switches: switchesOf(question),
      head: head({ method, target: place.target, host }, said, question, addressOf),
    };
  };

/** For Envoy over HTTP: the question is the request itself, without its body and with a prefix before its path. */
export const describedAsSent =
  (addressOf: AddressReader, prefix: string): DescriptionReader =>
  (question) => {
    const said = sort(question.rawHeaders);
    const target = (question.url ?? '').slice(prefix.length);
    if (said.single.get('x-forwarded-proto') !== undefined && said.twice === 'x-forwarded-proto')
      return unclear('The gateway says x-forwarded-proto twice');
    const host = question.headers['host'];
    if (typeof host !== 'string') return unclear('The gateway does not say which host the request is for');
    const why = unlikeText(target);
    if (why !== undefined) return unclear(why);
    return {
      outcome: 'described',
      kind: 'as-sent',
      switches: switchesOf(question),
      head: head({ method: question.method ?? '', target, host }, said, question, addressOf),
    };
  };

/** Envoy writes "!" for each octet that is no text in UTF-8, so a "!" in a path may be another octet at the API. */
export const unlikeText = (target: string): string | undefined =>
  target.split('?', 1)[0]?.includes('!')
    ? 'The path holds an exclamation mark, by which Envoy also writes octets that are no text'
    : undefined;

type Place = { readonly target?: string | undefined; readonly host?: string | undefined };

const originalPlace = (single: ReadonlyMap<string, string>): Place | undefined => {
  const uri = single.get('x-original-uri');
  const url = single.get('x-original-url');
  const [, host, target] = /^https?:\/\/([^/?#@\s]+)(\/.*)$/.exec(url ?? '') ?? [];
  if (url === undefined) return { target: uri };
  if (target === undefined || (uri !== undefined && uri !== target)) return undefined;
  return single.has('x-forwarded-host') && single.get('x-forwarded-host') !== host ? undefined : { target, host };
};

const switchesOf = ({ headers }: RequestHead): boolean =>
  String(headers['upgrade'] ?? '').toLowerCase() === 'websocket';

const head = (
  { method, target, host }: { readonly method: string; readonly target: string; readonly host: string },
  { single, forwardedFor, rest }: Said,
  question: RequestHead,
  addressOf: AddressReader,
): RequestHead => {
  const proto = single.get('x-forwarded-proto')?.toLowerCase();
  // The gateway's own address is nobody's who calls: without a word on whose it is, it is unknown.
  const { ip } = forwardedFor.length === 0 ? {} : addressOf(question.socket.remoteAddress, forwardedFor);
  const { traceparent } = question.headers;
  return {
    method,
    url: target,
    rawHeaders: [...rest, 'Host', host],
    headers: traceparent === undefined ? {} : { traceparent },
    socket: { remoteAddress: ip, ...((proto === 'https' || proto === 'wss') && { encrypted: true }) },
  };
};
