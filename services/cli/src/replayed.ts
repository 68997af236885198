/** What a replay reads: facts and decisions of a gate or of an export, line by line, so that a log may be longer than memory. */
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { DecisionRecord, type FactDraft, type LoggedFact, readLoggedFact, type Sequence } from '@postern/schemas';
import { CommandFailure, type Connection, callJson, failureOf, request } from './client.ts';
import { exitCodes } from './failure.ts';
import { linesOf, unzipped } from './recorded-lines.ts';

export type LiveDigest = { readonly sequence: number; readonly relationships: number; readonly sha256: string };

export type ReplaySource = {
  /** Facts of the log, for a bar that tells how far it is. */
  readonly size: number;
  /** In their order, whole appends; `upTo` includes. Ends with a failure where one is missing. */
  readonly facts: (upTo?: number, options?: { readonly fromTheFirst?: boolean }) => AsyncIterable<LoggedFact>;
  readonly decisions: () => AsyncIterable<DecisionRecord>;
  /** What the live authorizer holds; undefined in an export. */
  readonly live: () => Promise<LiveDigest | undefined>;
  readonly draftOf: (entry: LoggedFact) => FactDraft;
};

type Options = { readonly source?: string; readonly from?: string; readonly to?: string };
const encoder = new TextEncoder();

/** Rejects where a bound is neither a sequence nor an instant. */
export const replaySource = async ({ source, from, to }: Options, connect: () => Connection): Promise<ReplaySource> => {
  const [begins, ends] = [boundOf('--from', from), boundOf('--to', to)];
  const gate = source === undefined ? connect() : undefined;
  const size =
    gate === undefined ? 0 : (await callJson<{ size: number }>(gate, '/audit/facts', { query: { limit: '1' } })).size;
  const lines = (name: 'facts' | 'decisions', query: Record<string, string>) =>
    gate === undefined ? fileLines(source ?? '', name) : gateLines(gate, name, query);

  async function* facts(
    upTo = Number.POSITIVE_INFINITY,
    { fromTheFirst = upTo !== Number.POSITIVE_INFINITY }: { readonly fromTheFirst?: boolean } = {},
  ): AsyncGenerator<LoggedFact> {
    const first = fromTheFirst ? {} : begins;
    let expected: number | undefined = fromTheFirst ? 1 : undefined;
    const query = {
      ...(first.sequence !== undefined && { from: String(first.sequence) }),
      ...(first.at !== undefined && { since: first.at }),
      ...(Number.isFinite(upTo) && { to: String(upTo) }),
    };
    for await (const line of lines('facts', query)) {
      if (line === '') continue;
      const entry = readLoggedFact(encoder.encode(JSON.stringify(bodyOf(line))));
      if (!isWithin(entry, first, fromTheFirst ? {} : ends) || entry.sequence > upTo) continue;
      if (expected !== undefined && entry.sequence !== expected)
        throw new CommandFailure(
          `fact ${expected} is missing: ${entry.sequence} stands in its place`,
          exitCodes.refused,
        );
      expected = entry.sequence + 1;
      yield entry;
    }
  }
  async function* decisions(): AsyncGenerator<DecisionRecord> {
    for await (const line of lines('decisions', {})) {
      if (line === '') continue;
      const decision = DecisionRecord.safeParse(bodyOf(line));
      if (!decision.success) continue;
      const { sequence, at } = decision.data;
      if (isWithin({ sequence: (sequence ?? 0) as Sequence, envelope: { recordedtime: at } }, begins, ends))
        yield decision.data;
    }
  }
  return {
    size,
    facts,
    decisions,
    live: async () => (gate === undefined ? undefined : callJson<LiveDigest>(gate, '/relationships/digest')),
    draftOf: ({ envelope }) => {
      const { specversion: _, sequence: __, appendid: ___, datacontenttype: ____, ...draft } = envelope;
      return draft as unknown as FactDraft;
    },
  };
};

/** A row of the record, or what stands in it. */
const bodyOf = (line: string): unknown => {
  const value = JSON.parse(line);
  return typeof value === 'object' && value !== null && 'body' in value ? value.body : value;
};

type Bound = { readonly sequence?: number; readonly at?: string };
const boundOf = (option: string, text: string | undefined): Bound => {
  if (text === undefined) return {};
  if (/^\d{1,15}$/.test(text)) return { sequence: Number(text) };
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw new CommandFailure(`${option} takes a sequence or an RFC 3339 instant, not "${text}"`, exitCodes.usage);
  return { at: new Date(at).toISOString() };
};

const isWithin = (
  { sequence, envelope }: { readonly sequence: number; readonly envelope: { readonly recordedtime: string } },
  from: Bound,
  to: Bound,
): boolean => {
  const at = Date.parse(envelope.recordedtime);
  return (
    sequence >= (from.sequence ?? 0) &&
    sequence <= (to.sequence ?? Number.POSITIVE_INFINITY) &&
    at >= Date.parse(from.at ?? '1970-01-01T00:00:00Z') &&
    (to.at === undefined || at <= Date.parse(to.at))
  );
};

const gateLines = async function* (
  gate: Connection,
  name: string,
  query: Record<string, string>,
): AsyncGenerator<string> {
  const answer = await request(gate, `/audit/${name}`, {
    // As the log has it: what is copied or compared is what was recorded.
    query: { order: 'oldest', texts: 'recorded', ...query },
    headers: { accept: 'application/x-ndjson' },
  });
  if (!answer.ok) throw await failureOf(answer);
  yield* linesOf(answer.body === null ? Readable.from([]) : Readable.fromWeb(answer.body as ReadableStream));
};

const fileLines = async function* (folder: string, name: string): AsyncGenerator<string> {
  const file = [`${name}.ndjson`, `${name}.ndjson.gz`].map((each) => join(folder, each)).find(existsSync);
  if (file === undefined) throw new CommandFailure(`${folder} holds no ${name}.ndjson`, exitCodes.refused);
  yield* linesOf(unzipped(createReadStream(file), file));
};
