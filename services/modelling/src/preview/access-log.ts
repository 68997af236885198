/**
 * Access logs of what stood in front of an API before the gate did: Common and Combined Log Format, or an object a line as nginx, Apache,
 * Envoy, Caddy and Traefik write it. What cannot be read in one way only is left out, with its reason.
 */
import { isIP } from 'node:net';
import { encodeId, PrincipalId } from '@postern/schemas';
import { instantOf, readLogLine } from './log-line.ts';
import { leftOut, type ReadUse } from './use.ts';

type Fields = { readonly [name: string]: unknown };

export const fromLogLine = (line: string): ReadUse => {
  const read = readLogLine(line);
  if (read === undefined) return leftOut('not a line of an access log');
  const { host, user, time, request, status } = read;
  return toUse({ ip: host, user, at: instantOf(time), ...requestOf(request), status });
};

/** The names that servers give these fields; Caddy keeps those of the request in an object of their own. */
export const fromLogObject = (value: Fields): ReadUse => {
  const inner = value['request'];
  const all: Fields = typeof inner === 'object' && inner !== null ? { ...value, ...inner } : value;
  const first = (...names: readonly string[]): string | undefined => {
    for (const name of names) {
      const given = all[name];
      if ((typeof given === 'string' && given !== '') || typeof given === 'number') return String(given);
    }
    return undefined;
  };
  const request = requestOf(first('request', 'request_line') ?? '');
  const time = first('time', 'timestamp', '@timestamp', 'time_iso8601', 'StartUTC', 'start_time', 'ts', 'msec', 'at');
  return toUse({
    ip: first('remote_addr', 'remote_ip', 'client_ip', 'ip', 'ClientHost', 'downstream_remote_address'),
    user: first('user', 'remote_user', 'user_id', 'subject', 'principal', 'ClientUsername'),
    at: timeOf(time) ?? instantOf(first('time_local') ?? ''),
    method: first('method', 'request_method', 'RequestMethod') ?? request.method,
    target: first('path', 'uri', 'request_uri', 'url', 'RequestPath') ?? request.target,
    status: Number(first('status', 'status_code', 'response_code', 'DownstreamStatus') ?? Number.NaN),
  });
};

const requestOf = (request: string): { readonly method: string; readonly target: string } => {
  const [, method = '', target = ''] = /^([A-Z]{1,40}) (\S+)(?: HTTP\/[\d.]{1,5})?$/.exec(request) ?? [];
  return { method, target };
};

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/;
/** RFC 3339, or seconds or milliseconds since 1970. */
const timeOf = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  const epoch = /^\d{9,14}(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
  const at =
    epoch === undefined ? (rfc3339.test(text) ? Date.parse(text) : Number.NaN) : epoch * (epoch < 1e11 ? 1e3 : 1);
  return Number.isNaN(at) ? instantOf(text) : new Date(Math.round(at)).toISOString();
};

const toUse = (line: {
  readonly ip: string | undefined;
  readonly user: string | undefined;
  readonly at: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly status: number;
}): ReadUse => {
  const { user, at, method, target, status } = line;
  if (at === undefined) return leftOut('without a time that can be read');
  if (method === '') return leftOut('without a request that can be read');
  if (Number.isNaN(status)) return leftOut('without a status');
  const path = pathOf(target);
  if (path === undefined) return leftOut('a request target that is no path');
  if (user === undefined || user === '-' || user === '') return leftOut('no user in the access log');
  const subject = PrincipalId.safeParse(/^(user|workload):/.test(user) ? user : `user:${encoded(user)}`);
  if (!subject.success) return leftOut('a user that cannot be a principal');
  const ip = addressOf(line.ip);
  // A redirect and what is not modified were let through; a server's own failure says nothing of permissions.
  return { outcome: 'use', use: { at, subjects: [subject.data], method, path, ip, allowed: status < 400 } };
};

/** A target may be whole, as a proxy is asked: its path counts. */
const pathOf = (target: string): string | undefined => {
  const absolute = /^https?:\/\/[^/?#\s]*(\/[^?#]*)?/i.exec(target);
  const path = absolute === null ? target.split(/[?#]/, 1)[0] : (absolute[1] ?? '/');
  return path?.startsWith('/') ? path : undefined;
};

/** Unmapped, without a port; a host's name is no address, and then a condition on addresses counts as unmet. */
const addressOf = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? [];
  const [, ported] = /^(\d{1,3}(?:\.\d{1,3}){3}):\d+$/.exec(text) ?? [];
  const address = (bracketed ?? ported ?? text).replace(/^::ffff:(?=\d{1,3}\.)/i, '');
  return isIP(address) === 0 || address.includes('%') ? undefined : address;
};

const encoded = (user: string): string => {
  try {
    return encodeId(user);
  } catch {
    return '';
  }
};
