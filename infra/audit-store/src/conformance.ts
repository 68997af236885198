/**
 * What port.ts promises, asked of every backend. A backend that cannot meet a case names it with the reason, in data.
 * Where POSTERN_CONFORMANCE_MATRIX names a file, each case leaves one JSON line there: what holds where.
 */
import { appendFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkpointCases } from './conformance-checkpoints.ts';
import type { StorePlace } from './conformance-entries.ts';
import { pruningCases } from './conformance-pruning.ts';
import { readingCases } from './conformance-reading.ts';
import { writingCases } from './conformance-writing.ts';
import { alterFile } from './sqlite/alter-file.ts';

export type { StorePlace } from './conformance-entries.ts';
export { alterFile };

export type Unmet = { readonly test: string; readonly because: string };

export const auditStoreConformance = (
  backend: string,
  place: () => Promise<StorePlace>,
  unmet: readonly Unmet[] = [],
): void => {
  for (const [name, check] of Object.entries({
    ...writingCases,
    ...checkpointCases,
    ...readingCases,
    ...pruningCases,
  })) {
    const excuse = unmet.find((one) => one.test === name);
    test(`${backend}: ${name}`, { skip: excuse?.because ?? false }, async () => {
      try {
        await using here = await place();
        await check(here);
        record({ backend, case: name, result: 'passed' });
      } catch (error) {
        record({ backend, case: name, result: 'failed' });
        throw error;
      }
    });
    if (excuse !== undefined) record({ backend, case: name, result: 'skipped', because: excuse.because });
  }
};

const record = (line: Readonly<Record<string, string>>): void => {
  const file = process.env['POSTERN_CONFORMANCE_MATRIX'];
  if (file !== undefined && file !== '') appendFileSync(file, `${JSON.stringify({ suite: 'audit-store', ...line })}\n`);
};
