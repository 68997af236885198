/** The console's cookies: what each is called, where it goes, and over which lines. */
import { Problem, posternMount, renewalCookie, sessionCookie, signInCookie } from '@postern/schemas';
import type { FastifyRequest } from 'fastify';

const paths = {
  [sessionCookie]: `${posternMount}/`,
  [signInCookie]: `${posternMount}/console/session/`,
  [renewalCookie]: `${posternMount}/console/session`,
} as const;
export type CookieName = keyof typeof paths;

/** Browsers keep no more than 4096 bytes of a cookie, its name and attributes included. */
const valueLengthMax = 3_900;
const loopback = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** `; Secure`, or nothing on this very machine; over any other clear line nobody signs in. `origin`: whose page asks. */
const securityOf = (origin: string | undefined, gateHasTls: boolean): string => {
  if (gateHasTls || origin === undefined || origin.startsWith('https:')) return '; Secure';
  if (loopback.test(origin)) return '';
  throw new Problem('console/clear-line', {
    detail: `${origin.slice(0, 200)} is neither https: nor this machine`,
    fix: 'Reach the gate over https:, with tls of its own or behind something that has it.',
  });
};

export const cookieText = (
  name: CookieName,
  value: string,
  {
    origin,
    gateHasTls,
    seconds,
  }: { readonly origin: string | undefined; readonly gateHasTls: boolean; readonly seconds?: number },
): string =>
  `${name}=${value}; Path=${paths[name]}; HttpOnly; SameSite=Strict${securityOf(origin, gateHasTls)}${seconds === undefined ? '' : `; Max-Age=${seconds}`}`;

export const dropped = (name: CookieName): string =>
  `${name}=; Path=${paths[name]}; HttpOnly; SameSite=Strict; Max-Age=0`;

export const fits = (value: string): boolean =>
  value.length <= valueLengthMax && /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/.test(value);

/** The one cookie of that name; two are none. */
export const cookieOf = ({ headers }: FastifyRequest, name: CookieName): string | undefined => {
  const [only, ...more] = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  return more.length === 0 ? only?.slice(name.length + 1) : undefined;
};

export const originOf = ({ headers }: FastifyRequest): string | undefined => headers.origin;
