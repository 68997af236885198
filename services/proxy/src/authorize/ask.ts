/** The questions of other gateways over HTTP. Whoever is not one of them finds nothing here: the question is then a request like any other. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { posternMount } from '@postern/schemas';
import type { AddressReader } from '../gate/address.ts';
import { type Asked, answer, answerSocket, type GateWord } from '../gate/door.ts';
import type { Ladder } from '../gate/ladder.ts';
import { type Refusal, toRefusal } from '../refusal.ts';
import { type Description, describedAsSent, describedByHeaders } from './description.ts';
import { gatewayHeader, type MayAsk } from './trust.ts';

export const forwardPath = `${posternMount}/authorize/forward`;
/** Envoy's `path_prefix`: what stands behind it is the target. */
export const extAuthzPrefix = `${posternMount}/authorize/ext-authz`;

export type Asking = {
  /** False where it is no question of a gateway; else it has its answer, or gets it. */
  readonly request: (req: IncomingMessage, res: ServerResponse) => boolean;
  readonly upgrade: (req: IncomingMessage, socket: Socket) => boolean;
};
export type AskDeps = { readonly ladder: Ladder; readonly addressOf: AddressReader; readonly mayAsk: MayAsk };

/** What nginx hands to a client of its own accord is headers of this answer, so the problem document has to be one. */
const problemHeader = 'Postern-Problem';
/** As long as nginx takes the head of an answer by default, and room for the rest. */
const problemBytesMax = 3_000;

export const asking = ({ ladder, addressOf, mayAsk }: AskDeps): Asking => {
  const byHeaders = describedByHeaders(addressOf);
  const asSent = describedAsSent(addressOf, extAuthzPrefix);
  const readerFor = (url: string): ((req: IncomingMessage) => Description) | undefined => {
    // Caddy hangs the query of the request on the path of its question.
    if (url === forwardPath || url.startsWith(`${forwardPath}?`)) return byHeaders;
    return url.startsWith(`${extAuthzPrefix}/`) ? asSent : undefined;
  };
  type Reply = (status: number, headers: Readonly<Record<string, string>>, body: string, decision: string) => void;
  const ask = (req: IncomingMessage, over: Asked['over'], reply: Reply): boolean => {
    const read = req.url?.startsWith(posternMount) ? readerFor(req.url) : undefined;
    if (read === undefined) return false;
    const token = req.headers[gatewayHeader];
    if (!mayAsk(req.socket.remoteAddress, typeof token === 'string' ? token : undefined)) return false;
    const description = read(req);
    if (description.outcome === 'unclear') {
      const { id, ...refusal } = ladder.refuseUnparsed({
        remoteAddress: req.socket.remoteAddress,
        why: `${description.why}.`,
        method: req.method ?? '',
      });
      const { status, headers, body } = asGatewayReads(refusal, id, 'original');
      reply(status, headers, body, id);
      return true;
    }
    const { head, switches, kind } = description;
    ladder.enter({
      kind: 'asked',
      via: kind === 'as-sent' ? 'ext-authz' : 'forward',
      req: head,
      switches,
      over,
      allow: (word) => reply(200, allowHeaders(word), '', word.decision),
      refuse: (refusal, decision) => {
        const { status, headers, body } = asGatewayReads(refusal, decision, kind);
        reply(status, headers, body, decision);
      },
    });
    return true;
  };
  return {
    request: (req, res) =>
      ask(req, res, (status, headers, body, decision) =>
        answer({ kind: 'request', req, res, expectsContinue: false }, { status, headers, body }, decision),
      ),
    upgrade: (req, socket) =>
      ask(req, socket, (status, headers, body, decision) =>
        answerSocket(
          socket,
          status,
          { ...headers, 'Postern-Decision': decision, 'content-length': String(Buffer.byteLength(body)) },
          body,
        ),
      ),
  };
};

const allowHeaders = ({ assertion, observed }: GateWord): Record<string, string> => ({
  'cache-control': 'no-store',
  // Empty where nobody is named, so that a gateway that copies it writes over what a client sent.
  'Postern-Assertion': assertion ?? '',
  ...(observed && { 'Postern-Observed': 'would-refuse' }),
});

/** To most gateways every 2xx lets the request pass, and the answer to a preflight that is granted nothing is 204. */
const asGatewayReads = (
  refusal: Refusal,
  decision: string,
  kind: Extract<Description, { outcome: 'described' }>['kind'],
): Refusal => {
  const { status, headers, body } = refusal.status < 300 ? toRefusal('proxy/denied', { decision }) : refusal;
  const problem = kind === 'original' ? asciiText(body) : '';
  const fits = problem !== '' && problem.length <= problemBytesMax;
  return { status, headers: { ...headers, ...(fits && { [problemHeader]: problem }) }, body };
};

/** JSON in a header: everything beyond ASCII escaped. */
const asciiText = (json: string): string =>
  json.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
