/** What both ways to an API have in common: the request as it goes out, and how it is followed until it ends. */
import type { ProblemCode } from '@postern/schemas';
import type { ReadRequest } from '../gate/read.ts';
import type { Overdue, Pace } from './deadlines.ts';
import type { RewriteMessage } from './rewrite.ts';
import type { Upstream } from './target.ts';

export type Outgoing = {
  /** The target of the first attempt. */
  readonly upstream: Upstream;
  readonly read: ReadRequest;
  readonly decision: string;
  /** The caller is told that this would be refused once the service is enforced. */
  readonly observed: boolean;
  /** Base path, path below the mount and query: octet for octet what was decided on. */
  readonly path: string;
  /** Name and value by turns, ours included. */
  readonly headers: string[];
  /** The body where it was read to be judged: these octets and no others. */
  readonly body: Buffer | undefined;
  /** What the caller may see of the answer. */
  readonly rewrite: RewriteMessage | undefined;
  /** What the exchange waits for, kept true on its way. */
  readonly pace: Pace;
  /** Further headers of the answer, asked for when it begins: name and value by turns. */
  readonly adds: (() => readonly string[]) | undefined;
};

export type Watch = {
  /** The gate answers in the API's place; nothing of an answer has been sent. */
  readonly failed: (code: ProblemCode, detail?: string) => void;
  /** The exchange is over, however it went. */
  readonly ended: () => void;
};

/** Ends an exchange that is under way, because its decision has turned or a limit is over; it does nothing to one that is over. */
export type Cut = (why?: Overdue) => void;

/** Never to be passed on from an API: of this hop only, or the gate's own. */
const endsHere = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** As an API spelled it → may it pass? APIs repeat few names, so nearly every look-up ends here. */
const passing = new Map<string, boolean>();
const passingMax = 2_000;

const passes = (raw: string): boolean => {
  const known = passing.get(raw);
  if (known !== undefined) return known;
  const name = raw.toLowerCase();
  const judged = !endsHere.has(name) && !name.startsWith('postern-');
  if (passing.size >= passingMax) passing.clear();
  passing.set(raw, judged);
  return judged;
};

/** The API's response headers as the caller gets them, octet for octet: name and value by turns. */
export const responseHeaders = (
  raw: readonly string[],
  { decision, observed = false, adds, read }: Pick<Outgoing, 'decision' | 'observed' | 'adds' | 'read'>,
): string[] => {
  let hop: string[] | undefined;
  const headers: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]];
    if (name.length === 10 && name.toLowerCase() === 'connection') hop = declared(value, hop);
    else if (passes(name)) headers.push(name, value);
    else if (read.trailers && name.length === 7 && name.toLowerCase() === 'trailer') headers.push('Trailer', value);
  }
  headers.push('Postern-Decision', decision);
  if (observed) headers.push('Postern-Observed', 'would-refuse');
  if (adds !== undefined) headers.push(...adds());
  return hop === undefined ? headers : without(headers, hop);
};

/** Names that a Connection header declares to be of this hop only; what it may always say takes no name away. */
const declared = (connection: string, before: string[] | undefined): string[] | undefined => {
  const short = connection.toLowerCase();
  if (short === 'keep-alive' || short === 'close') return before;
  return [...(before ?? []), ...short.split(',').map((name) => name.trim())];
};

const without = (headers: readonly string[], names: readonly string[]): string[] => {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    if (name.startsWith('Postern-') || !names.includes(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
};
