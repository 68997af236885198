/** The corpus of attacks (e2e/attacks): one row a request, as it is written down there. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export const tables = ['paths', 'methods', 'headers', 'protocol'] as const;
export const corpusKey = 'psk_ann';

const Row = z.strictObject({
  case: z.string(),
  what: z.string().optional(),
  /** Method and target; HTTP version, Host, an API key and `Connection: close` are added. */
  line: z.string().optional(),
  /** Sent as it is, in place of all that. */
  raw: z.string().optional(),
  /** `false`: without the API key. */
  credential: z.literal(false).optional(),
  /** Asks for a WebSocket, in place of `Connection: close`. */
  upgrade: z.literal(true).optional(),
  /** Header lines; a `Connection` among them takes the place of ours. */
  headers: z.array(z.string()).optional(),
  body: z.string().optional(),
  answer: z.int(),
  /** What the API has to have seen, once. Left out: it must have seen nothing. */
  seen: z
    .strictObject({
      method: z.string().optional(),
      url: z.string().optional(),
      upgrade: z.boolean().optional(),
      /** It bears an assertion of ours. */
      signed: z.literal(true).optional(),
      headers: z.record(z.string(), z.string()).optional(),
      lacks: z.array(z.string()).optional(),
    })
    .optional(),
});
export type CorpusRow = z.infer<typeof Row>;

export const corpusTable = (table: (typeof tables)[number]): CorpusRow[] =>
  z
    .array(Row)
    .parse(JSON.parse(readFileSync(new URL(`../../../../e2e/attacks/${table}.json`, import.meta.url), 'utf8')));

/** The octets, one character each. */
export const corpusText = ({ line, raw, credential, upgrade, headers = [], body = '' }: CorpusRow): string => {
  if (raw !== undefined) return raw.replaceAll('{key}', corpusKey);
  const handshake = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'];
  const connection = headers.some((each) => each.startsWith('Connection:'))
    ? []
    : [upgrade === true ? 'Connection: Upgrade' : 'Connection: close'];
  const lines = [
    `${line} HTTP/1.1`,
    'Host: gate.test',
    ...(credential === false ? [] : ['X-API-Key: {key}']),
    ...headers,
    ...(upgrade === true ? handshake : []),
    ...connection,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`.replaceAll('{key}', corpusKey);
};
