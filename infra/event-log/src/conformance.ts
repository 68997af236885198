/**
 * What every event log keeps, as one suite for all backends. A backend that cannot meet a case says why, in data; the case is
 * then reported as skipped with that reason. With POSTERN_CONFORMANCE_MATRIX=FILE each result is appended to FILE as one JSON line.
 */
import { appendFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Backend, Case, Exception } from './conformance/case.ts';
import { factCases } from './conformance/facts.ts';
import { outageCases } from './conformance/outages.ts';
import { recordCases } from './conformance/records.ts';

export type { Backend, Case, Exception, LogUnderTest } from './conformance/case.ts';

export type ConformanceResult = {
  readonly suite: string;
  readonly backend: string;
  readonly case: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly because?: string;
};

export const cases: readonly Case[] = [...factCases, ...outageCases, ...recordCases];

export const eventLogConformance = (
  backendName: string,
  start: () => Promise<Backend>,
  exceptions: readonly Exception[] = [],
): void => {
  for (const { test: name } of exceptions)
    if (!cases.some((known) => known.name === name)) throw new RangeError(`no case is called "${name}"`);
  describe(`event log conformance: ${backendName}`, () => {
    let backend: Backend | undefined;
    before(async () => {
      backend = await start();
    });
    after(async () => {
      await backend?.[Symbol.asyncDispose]();
    });
    for (const { name, run } of cases) {
      const because = exceptions.find((exception) => exception.test === name)?.because;
      const note = (result: ConformanceResult['result']) =>
        record({ suite: 'event-log', backend: backendName, case: name, result, ...(because && { because }) });
      test(name, async (context) => {
        if (because !== undefined) {
          note('skipped');
          return context.skip(because);
        }
        try {
          if (backend === undefined) throw new Error('the backend did not start');
          await using log = await backend.create();
          await run(log);
          note('passed');
        } catch (error) {
          note('failed');
          throw error;
        }
      });
    }
  });
};

const record = (result: ConformanceResult): void => {
  const file = process.env['POSTERN_CONFORMANCE_MATRIX'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(result)}\n`);
};
