/** Access logs of what stood in front of an API before the gate did: Common and Combined Log Format, or an object a line. */
import { encodeId, PrincipalId } from '@postern/schemas';
import type { ReadUse } from './use.ts';

/** `host ident user [10/Oct/2026:13:55:36 +0200] "GET /path HTTP/1.1" 200 2326 …`; what follows the size (Combined) is not needed. */
const common = /^(\S+) \S+ (.+?) \[([^\]]+)\] "([A-Z]+) (\S+)(?: HTTP\/[\d.]+)?" (\d{3}) (?:\d+|-)(?: |$)/;
const date = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-])(\d{2})(\d{2})$/;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export const isAccessLogLine = (line: string): boolean =>
  common.test(line) || (line.startsWith('{') && !/"outcome":/.test(line));

export const fromAccessLogLine = (line: string): ReadUse => {
  if (line.startsWith('{')) return fromObject(line);
  const read = common.exec(line);
  if (read === null) return leftOut('not a line of an access log');
  const [, ip, user, when = '', method = '', target = '', status] = read;
  return toUse({ ip, user, at: instantOf(when), method, target, status: Number(status) });
};

/** The names that common servers give these fields. */
const fromObject = (line: string): ReadUse => {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return leftOut('not JSON');
  }
  const first = (...names: readonly string[]): string | undefined => {
    for (const name of names) if (['string', 'number'].includes(typeof value[name])) return String(value[name]);
    return undefined;
  };
  const request = /^([A-Z]+) (\S+)/.exec(first('request') ?? '');
  const time = first('time', 'timestamp', '@timestamp', 'time_iso8601', 'ts', 'at');
  const parsed = time === undefined ? Number.NaN : Date.parse(time);
  return toUse({
    ip: first('remote_addr', 'ip', 'client_ip', 'remote_ip'),
    user: first('user', 'remote_user', 'subject', 'principal'),
    at: Number.isNaN(parsed) ? instantOf(first('time_local') ?? '') : new Date(parsed).toISOString(),
    method: first('method', 'request_method') ?? request?.[1] ?? '',
    target: first('path', 'uri', 'request_uri', 'url') ?? request?.[2] ?? '',
    status: Number(first('status', 'status_code') ?? 200),
  });
};

const toUse = (line: {
  readonly ip: string | undefined;
  readonly user: string | undefined;
  readonly at: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly status: number;
}): ReadUse => {
  const { ip, user, at, method, target, status } = line;
  if (at === undefined) return leftOut('without a time that can be read');
  if (method === '' || !target.startsWith('/')) return leftOut('without a method and path');
  if (user === undefined || user === '-' || user === '') return leftOut('no user in the access log');
  const subject = PrincipalId.safeParse(/^(user|workload):/.test(user) ? user : `user:${encoded(user)}`);
  if (!subject.success) return leftOut('a user that cannot be a principal');
  const path = target.split('?', 1)[0] ?? target;
  return { outcome: 'use', use: { at, subjects: [subject.data], method, path, ip, allowed: status < 400 } };
};

const encoded = (user: string): string => {
  try {
    return encodeId(user);
  } catch {
    return '';
  }
};
const instantOf = (text: string): string | undefined => {
  const read = date.exec(text);
  if (read === null) return undefined;
  const [, day, month = '', year, time, sign, hours, minutes] = read;
  const at = months.indexOf(month) + 1;
  return at === 0
    ? undefined
    : new Date(`${year}-${String(at).padStart(2, '0')}-${day}T${time}${sign}${hours}:${minutes}`).toISOString();
};
const leftOut = (why: string): ReadUse => ({ outcome: 'left-out', why });
