/** One of the two logs, as the gate publishes it. */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Get } from '@postern/audit/app';
import { writeConsistency } from '@postern/schemas/tlog';
import { CommandFailure, type Connection, failureOf, request } from '../client.ts';
import { readTextFile } from '../input.ts';
import { linesOf } from '../recorded-lines.ts';

export type LogName = 'facts' | 'decisions';
export const logNames: readonly LogName[] = ['facts', 'decisions'];
export const chosenLogs = (log: LogName | undefined): readonly LogName[] => (log === undefined ? logNames : [log]);

export const getOf =
  (to: Connection, log: LogName): Get =>
  async (path) => {
    const response = await request(to, `/audit/log/${log}/${path}`);
    if (response.status === 404) return undefined;
    if (!response.ok) throw await failureOf(response);
    return new Uint8Array(await response.arrayBuffer());
  };

const lines = async function* (
  to: Connection,
  path: string,
  query: Readonly<Record<string, string>> = {},
): AsyncGenerator<string> {
  const response = await request(to, path, { headers: { accept: 'application/x-ndjson' }, query });
  if (!response.ok) throw await failureOf(response);
  if (response.body !== null) yield* linesOf(Readable.fromWeb(response.body as ReadableStream));
};
/** Every row that the log is searched by, oldest first, as the log has it. */
export const rowLines = (to: Connection, log: LogName): AsyncIterable<string> =>
  lines(to, `/audit/${log}`, { order: 'oldest', texts: 'recorded' });
export const keptLines = (to: Connection, log: LogName): AsyncIterable<string> =>
  lines(to, `/audit/log/${log}/checkpoints`);

/** The keys of a log: of those in a file that was kept, else those that the log names of itself. */
export const keysOf = async (get: Get, log: LogName, file: string | undefined): Promise<string> => {
  const kept = (file === undefined ? '' : readTextFile(file))
    .split('\n')
    .filter((line) => line.includes(`/${log}+`))
    .join('\n');
  if (kept !== '') return kept;
  const served = await get('vkey');
  if (served === undefined) throw new CommandFailure(`no verifier key for the ${log} log`, 1);
  return new TextDecoder().decode(served).trim();
};

/** Checkpoints of this log in files, each holding one; those of other logs are passed over. */
export const checkpointsIn = (files: readonly string[], log: LogName): string[] =>
  files.map((file) => readTextFile(file)).filter((note) => note.split('\n')[0]?.endsWith(`/${log}`));

/** What the log says of itself to whoever kept `earlier`: the proof that it has grown, or a head that cannot have grown from it. */
export const growthText = async (to: Connection, log: LogName, earlier: string): Promise<string> => {
  const from = earlier.split('\n')[1] ?? '';
  const response = await request(to, `/audit/log/${log}/consistency`, { query: { from } });
  if (response.ok) return response.text();
  const newest = response.status === 404 ? await getOf(to, log)('checkpoint') : undefined;
  if (newest === undefined) throw await failureOf(response);
  return writeConsistency({ oldSize: Number(from), path: [], checkpoint: new TextDecoder().decode(newest) });
};
