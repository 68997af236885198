/** Where recorded calls and the facts under them come from: a running gate, a folder or file that was exported, an access log. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { type ReadUse, readFacts, readUses } from '@postern/modelling/app';
import { systemClock } from '@postern/runtime';
import { durationMs, type FactDraft } from '@postern/schemas';
import { CommandFailure, connection, failureOf, request } from './client.ts';
import { linesOf, unzipped } from './recorded-lines.ts';

export type RecordedOptions = {
  readonly against: string;
  readonly facts?: string | undefined;
  readonly key?: string | undefined;
  readonly data?: string | undefined;
  readonly since?: string | undefined;
};
export type Recorded = {
  readonly facts: readonly FactDraft[];
  readonly uses: AsyncIterable<ReadUse>;
  readonly sinceMs: number | undefined;
};

const isUrl = (source: string): boolean => /^https?:/.test(source);
/** An export may be gzipped. */
const inFolder = (folder: string, name: string): string => {
  const plain = join(folder, name);
  return existsSync(plain) || !existsSync(`${plain}.gz`) ? plain : `${plain}.gz`;
};
const isFolder = (source: string): boolean => existsSync(source) && statSync(source).isDirectory();
const ndjson = { accept: 'application/x-ndjson' };

export const readRecorded = async (options: RecordedOptions): Promise<Recorded> => {
  const { against } = options;
  const sinceMs = sinceOf(options.since);
  const factsSource = options.facts ?? (isUrl(against) || isFolder(against) ? against : undefined);
  if (factsSource === undefined)
    throw new CommandFailure('calls alone do not say who holds what: name a gate or a file of facts with --facts', 64);
  return { facts: await factsFrom(factsSource, options), uses: await usesFrom(against, options, sinceMs), sinceMs };
};

/** The calls alone, where the facts under them are known otherwise. */
export const readCalls = async (options: RecordedOptions): Promise<Pick<Recorded, 'uses' | 'sinceMs'>> => {
  const sinceMs = sinceOf(options.since);
  return { uses: await usesFrom(options.against, options, sinceMs), sinceMs };
};

/** A duration back from now, or an instant. */
const sinceOf = (since: string | undefined): number | undefined => {
  if (since === undefined) return undefined;
  if (/^[1-9]\d{0,4}(s|m|h|d)$/.test(since)) return systemClock.now() - durationMs(since);
  const at = Date.parse(since);
  if (Number.isNaN(at))
    throw new CommandFailure(`--since takes a duration such as 7d, or an instant, not "${since}"`, 64);
  return at;
};

const fromGate = async (source: string, path: string, options: RecordedOptions, query: Record<string, string>) => {
  const to = connection({ gate: source, key: options.key, data: options.data }, process.env);
  const answer = await request(to, path, { query: { order: 'oldest', ...query }, headers: ndjson });
  if (!answer.ok) throw await failureOf(answer);
  return answer;
};

const factsFrom = async (source: string, options: RecordedOptions): Promise<readonly FactDraft[]> => {
  const file = isFolder(source) ? inFolder(source, 'facts.ndjson') : source;
  if (!isUrl(source) && !existsSync(file)) throw new CommandFailure(`${file} does not exist`, 1);
  const text = isUrl(source)
    ? await (await fromGate(source, '/audit/facts', options, {})).text()
    : Buffer.concat(await Array.fromAsync(unzipped(createReadStream(file), file))).toString('utf8');
  const facts = readFacts(text);
  if ('what' in facts) throw new CommandFailure(`${file}:${facts.line} ${facts.what}`, 1);
  return facts;
};

const usesFrom = async (
  source: string,
  options: RecordedOptions,
  sinceMs: number | undefined,
): Promise<AsyncIterable<ReadUse>> => {
  if (isUrl(source)) {
    const since = sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() };
    const { body } = await fromGate(source, '/audit/decisions', options, since);
    return readUses(linesOf(body === null ? Readable.from([]) : Readable.fromWeb(body as ReadableStream)));
  }
  const file = isFolder(source) ? inFolder(source, 'decisions.ndjson') : source;
  if (!existsSync(file)) throw new CommandFailure(`${file} does not exist`, 1);
  return readUses(linesOf(unzipped(createReadStream(file), file)));
};
