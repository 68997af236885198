/** What both ways to an API have in common: the request as it goes out, and how it is followed until it ends. */
import type { ProblemCode } from '@postern/schemas';
import type { ReadRequest } from '../gate/read.ts';
import type { RewriteMessage } from './rewrite.ts';
import type { Upstream } from './upstreams.ts';

export type Outgoing = {
  readonly upstream: Upstream;
  readonly read: ReadRequest;
  readonly decision: string;
  /** The caller is told that this would be refused once the service is enforced. */
  readonly observed?: boolean;
  /** Base path, path below the mount and query: octet for octet what was decided on. */
  readonly path: string;
  /** Name and value by turns, ours included. */
  readonly headers: readonly string[];
  /** The body where it was read to be judged: these octets and no others. */
  readonly body?: Buffer;
  /** What the caller may see of the answer. */
  readonly rewrite?: RewriteMessage;
};

export type Watch = {
  /** The gate answers in the API's place; nothing of an answer has been sent. */
  readonly failed: (code: ProblemCode, detail?: string) => void;
  /** The exchange is over, however it went. */
  readonly ended: () => void;
};

/** Ends an exchange that is under way; it does nothing to one that is over. */
export type Cut = () => void;

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

/** The API's response headers as the caller gets them: name and value by turns. */
export const responseHeaders = (
  raw: readonly string[],
  { decision, observed = false }: Pick<Outgoing, 'decision' | 'observed'>,
): string[] => {
  let hop: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2)
    if (raw[at]?.toLowerCase() === 'connection')
      hop = [...hop, ...(raw[at + 1] ?? '').split(',').map((name) => name.trim().toLowerCase())];
  const headers: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    if (!endsHere.has(name) && !hop.includes(name) && !name.startsWith('postern-'))
      headers.push(raw[at] ?? '', raw[at + 1] ?? '');
  }
  headers.push('Postern-Decision', decision);
  if (observed) headers.push('Postern-Observed', 'would-refuse');
  return headers;
};
