/** Verifying with Node's own SHA-256, which is faster than WebCrypto where a log has millions of entries. The code is the same. */
import type { LogName } from '@postern/audit-store';
import * as record from '@postern/schemas/record';
import { sha256 } from './sha256.ts';

export type { Get, Verified, VerifyOptions } from '@postern/schemas/record';

export const verifyLog = (options: record.VerifyOptions): Promise<record.Verified> =>
  record.verifyLog({ sha256, ...options });
export const verifyRecord: typeof record.verifyRecord = (options, index) =>
  record.verifyRecord({ sha256, ...options }, index);

/** The paths of a log's public formats, below `/.postern/audit/`. */
export const logPath = (log: LogName, path: string): string => `log/${log}/${path}`;
