/**
 * CloudEvents 1.0 in its three modes over HTTP headers and bodies: structured, binary, batch (JSON event format and HTTP
 * protocol binding). Strict where it matters here: an event without an id of its own could never be known again, so nothing is
 * filled in (the usual library invents an id and a time; see docs/adr/0008-cloudevents-are-read-strictly.md).
 */
import { isProblem, Problem } from '@postern/schemas';
import { z } from 'zod';

/** The part of a CloudEvent that means something here; other attributes are passed over. */
export const InboundEvent = z.object({
  specversion: z.literal('1.0', { error: 'this gate reads specversion "1.0"' }),
  id: z.string().min(1).max(1000),
  source: z.string().min(1).max(1000),
  type: z.string().min(1).max(1000),
  subject: z.string().min(1).max(1000).optional(),
  time: z.iso
    .datetime({ offset: true, error: 'write an RFC 3339 instant' })
    .transform((time) => new Date(time).toISOString())
    .optional(),
  data: z.unknown().optional(),
});
export type InboundEvent = z.infer<typeof InboundEvent>;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One event of a message, with the bytes and headers by which it can be read again; or what is wrong with it. */
export type Part = { readonly bytes: Uint8Array; readonly headers: Readonly<Record<string, string>> } & (
  | { readonly outcome: 'read'; readonly event: InboundEvent }
  | { readonly outcome: 'unreadable'; readonly problem: Problem }
);

/** How many events one batch may hold. */
const batchMax = 10_000;

/** Tells the mode by the headers. Throws `grants/bad-event` where the whole cannot be read; an event of a batch is judged by itself. */
export const readEvents = (headers: Headers, body: Uint8Array): Part[] => {
  const type = one(headers, 'content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === structured) return [part(json(body), body, '')];
  if (type === 'application/cloudevents-batch+json') {
    const batch = json(body);
    if (!Array.isArray(batch)) throw bad('a batch is a JSON array of events');
    if (batch.length > batchMax) throw bad(`a batch holds at most ${batchMax} events, this one ${batch.length}`);
    return batch.map((event, index) =>
      part(event, new TextEncoder().encode(JSON.stringify(event)), `event ${index + 1} of the batch: `),
    );
  }
  if (one(headers, 'ce-specversion') === undefined)
    throw bad(`neither a content type of CloudEvents nor ce-* headers (content-type: ${type || 'none'})`);
  if (type !== '' && type !== 'application/json' && !type.endsWith('+json'))
    throw bad(`the data of an event is JSON here, not ${type}`);
  const kept = Object.keys(headers)
    .filter((name) => name.startsWith('ce-') || name === 'content-type')
    .map((name) => [name, one(headers, name) ?? ''] as const);
  const attributes = kept.flatMap(([name, value]) =>
    name.startsWith('ce-') ? [[name.slice('ce-'.length), percentDecoded(value)]] : [],
  );
  const event = { ...Object.fromEntries(attributes), ...(body.byteLength > 0 && { data: json(body) }) };
  return [{ ...part(event, body, ''), headers: Object.fromEntries(kept) }];
};

const structured = 'application/cloudevents+json';

const part = (value: unknown, bytes: Uint8Array, where: string): Part => {
  const headers = { 'content-type': structured };
  try {
    return { outcome: 'read', event: read(value, where), bytes, headers };
  } catch (error) {
    if (!isProblem(error)) throw error;
    return { outcome: 'unreadable', problem: error, bytes, headers };
  }
};

const read = (value: unknown, where: string): InboundEvent => {
  const parsed = InboundEvent.safeParse(value);
  if (parsed.success) return parsed.data;
  throw bad(
    where +
      parsed.error.issues
        .map(({ path, message }) => `${path.map(String).join('.') || 'the event'}: ${message}`)
        .join('; '),
  );
};

const json = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw bad(error instanceof SyntaxError ? `not JSON: ${error.message}` : 'not UTF-8');
  }
};

const one = (headers: Headers, name: string): string | undefined => {
  const value = headers[name];
  if (Array.isArray(value)) throw bad(`the header ${name} comes more than once`);
  return value;
};

/** Header values of the binary mode are percent-encoded where they leave printable ASCII. */
const percentDecoded = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

const bad = (detail: string): Problem =>
  new Problem('grants/bad-event', {
    detail,
    fix: 'Send content-type application/cloudevents+json (one event), application/cloudevents-batch+json (several), or ce-* headers with the data as body.',
  });
