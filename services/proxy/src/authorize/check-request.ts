/** Envoy's CheckRequest as a request head, to be read like every other; and our answer as its CheckResponse. */
import { type AddressReader, unmapped } from '../gate/address.ts';
import type { GateWord } from '../gate/door.ts';
import type { RequestHead } from '../gate/read.ts';
import type { Refusal } from '../refusal.ts';
import { unlikeText } from './description.ts';

/** As the loader of ext-authz.proto gives it: fields that were not sent are undefined. */
export type CheckRequest = {
  readonly attributes?: {
    readonly source?: { readonly address?: { readonly socketAddress?: { readonly address?: string } } };
    readonly request?: {
      readonly http?: {
        readonly method?: string;
        readonly headers?: Readonly<Record<string, string>>;
        readonly path?: string;
        readonly host?: string;
        readonly scheme?: string;
        readonly body?: string;
        readonly rawBody?: Uint8Array;
        readonly headerMap?: { readonly headers?: readonly HeaderValue[] };
      };
    };
  };
};
type HeaderValue = { readonly key?: string; readonly value?: string; readonly rawValue?: Uint8Array };
type HeaderOption = { readonly header: { readonly key: string; readonly value: string }; readonly appendAction: 2 };
export type CheckResponse = {
  readonly status: { readonly code: number };
  readonly deniedResponse?: {
    readonly status: { readonly code: number };
    readonly headers: readonly HeaderOption[];
    readonly body: string;
  };
  readonly okResponse?: {
    readonly headers: readonly HeaderOption[];
    readonly headersToRemove: readonly string[];
    readonly responseHeadersToAdd: readonly HeaderOption[];
  };
};

export type CheckedRequest =
  | {
      readonly outcome: 'described';
      readonly head: RequestHead;
      readonly switches: boolean;
      /** Undefined where it was not sent, or not whole. */
      readonly body: Buffer | undefined;
    }
  | { readonly outcome: 'unclear'; readonly why: string };

/** Whether Envoy sent the body whole; where it sends bodies, it sets this itself. */
const partialBody = 'x-envoy-auth-partial-body';

/** `sourceAddressOf`: whom a source speaks for, where the source is a trusted proxy before the gateway. */
export const readCheckRequest = ({ attributes }: CheckRequest, sourceAddressOf: AddressReader): CheckedRequest => {
  const http = attributes?.request?.http;
  if (http === undefined) return { outcome: 'unclear', why: 'The gateway does not say which request it asks about' };
  const raw = http.headerMap?.headers;
  const named = raw === undefined ? Object.entries(http.headers ?? {}) : raw.map(pairOf);
  const one = (name: string): string | undefined => {
    const found = named.filter(([each]) => each.toLowerCase() === name);
    return found.length === 1 ? found[0]?.[1] : undefined;
  };
  const target = (raw === undefined ? http.path : one(':path')) ?? '';
  const why = raw === undefined ? unlikeText(target) : undefined;
  if (why !== undefined) return { outcome: 'unclear', why };
  const source = attributes?.source?.address?.socketAddress?.address;
  const forwardedFor = named.filter(([name]) => name === 'x-forwarded-for').map(([, value]) => value);
  const { ip } = sourceAddressOf(source === undefined ? undefined : unmapped(source), forwardedFor);
  const rest = named.filter(
    ([name]) => !name.startsWith(':') && name !== 'host' && name !== partialBody && !name.startsWith('x-forwarded-'),
  );
  const traceparent = one('traceparent');
  return {
    outcome: 'described',
    head: {
      method: http.method,
      url: target,
      rawHeaders: [...rest.flat(), 'Host', http.host ?? ''],
      headers: traceparent === undefined ? {} : { traceparent },
      socket: { remoteAddress: ip, ...(http.scheme === 'https' && { encrypted: true }) },
    },
    switches: one('upgrade')?.toLowerCase() === 'websocket',
    body: one(partialBody) === 'false' ? bodyOf(http) : undefined,
  };
};

const pairOf = ({ key = '', value = '', rawValue }: HeaderValue): [string, string] => [
  key,
  rawValue === undefined || rawValue.length === 0 ? value : Buffer.from(rawValue).toString('latin1'),
];

/** An empty one is none: a client's own word could otherwise make Envoy seem to have sent it. */
const bodyOf = ({ body, rawBody }: { readonly body?: string; readonly rawBody?: Uint8Array }): Buffer | undefined => {
  if (rawBody !== undefined && rawBody.length > 0) return Buffer.from(rawBody);
  return body === undefined || body === '' ? undefined : Buffer.from(body);
};

const options = (headers: Readonly<Record<string, string>>): HeaderOption[] =>
  Object.entries(headers).map(([key, value]) => ({ header: { key: key.toLowerCase(), value }, appendAction: 2 }));

/** google.rpc.Code. */
const ok = 0;
const permissionDenied = 7;

export const toAllowed = ({ decision, assertion, observed }: GateWord): CheckResponse => ({
  status: { code: ok },
  okResponse: {
    headers: options({
      'postern-decision': decision,
      ...(assertion !== undefined && { 'postern-assertion': assertion }),
    }),
    // As at the gate: credentials end here, and nobody but us says who calls. Envoy removes after it has set.
    headersToRemove: ['authorization', 'x-api-key', ...(assertion === undefined ? ['postern-assertion'] : [])],
    responseHeadersToAdd: options({
      'postern-decision': decision,
      ...(observed && { 'postern-observed': 'would-refuse' }),
    }),
  },
});

export const toDenied = ({ status, headers, body }: Refusal, decision: string): CheckResponse => ({
  status: { code: permissionDenied },
  deniedResponse: { status: { code: status }, headers: options({ ...headers, 'postern-decision': decision }), body },
});
