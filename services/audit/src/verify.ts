/** Verifying with Node's own SHA-256, which is faster than WebCrypto where a log has millions of entries. The code is the same. */
import type { LogName } from '@postern/audit-store';
import * as record from '@postern/schemas/record';
import { keptFile, rowsFile } from './copy-log.ts';
import { filesIn, linesIn } from './files.ts';
import { sha256 } from './sha256.ts';

export type { Get, Verified, VerifyOptions } from '@postern/schemas/record';

export const verifyLog = (options: record.VerifyOptions): Promise<record.Verified> =>
  record.verifyLog({ sha256, ...options });
export const verifyRecord: typeof record.verifyRecord = (options, index) =>
  record.verifyRecord({ sha256, ...options }, index);

/** The paths of a log's public formats, below `/.postern/audit/`. */
export const logPath = (log: LogName, path: string): string => `log/${log}/${path}`;

/** A log that {@link copyLog} wrote, by the files alone: what was copied with it is judged with it. */
export const verifyFolder = async (
  folder: string,
  log: LogName,
  options: Omit<record.VerifyOptions, 'get' | 'rows' | 'kept'>,
): Promise<record.Verified> => {
  const [kept, rows] = [await linesIn(folder, keptFile), await linesIn(folder, rowsFile)];
  if (kept === undefined || rows === undefined)
    return { outcome: 'altered', what: 'missing', why: `the copy lacks ${kept === undefined ? keptFile : rowsFile}` };
  return verifyLog({
    ...options,
    get: filesIn(folder),
    kept: mapped(kept, record.parseKeptCheckpoint),
    rows: { log, served: mapped(rows, record.parseServedRow) },
  });
};

export const mapped = async function* <From, To>(
  values: AsyncIterable<From>,
  to: (value: From) => To,
): AsyncGenerator<To> {
  for await (const value of values) yield to(value);
};
