/**
 * What every event log keeps, as one suite for all backends. A backend that cannot meet a case says why, in data; the case is
 * then reported as skipped with that reason. With POSTERN_CONFORMANCE_MATRIX=FILE each result is appended to FILE as one JSON line.
 */
import { appendFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { factCases } from './conformance/facts.ts';
import { outageCases } from './conformance/outages.ts';
import { recordCases } from './conformance/records.ts';
import type { EventLog } from './port.ts';

/** A log that may be opened, harmed and mended; each case gets one of its own. */
export type LogUnderTest = AsyncDisposable & {
  /** What a child process opens it by. */
  readonly url: string;
  /** One more process's door to the log; a backend with a single owner gives the same door again. */
  open(): Promise<EventLog>;
  /** Closes every door. */
  close(): Promise<void>;
  /** Writes a raw record where the facts are, as a stranger would; null is a tombstone. */
  writeForeign?(bytes: Uint8Array | null): Promise<void>;
  /** Takes away what lies before the fact `sequence`. */
  truncateFacts?(sequence: number): Promise<void>;
  truncateRecords?(): Promise<void>;
  /** Has the next answers to writes dropped behind the broker's back, `count` of them. */
  loseAcknowledgements?(count: number): Promise<void>;
  /** Nothing answers until `resume`. */
  interrupt?(): Promise<void>;
  resume?(): Promise<void>;
};

export type Backend = AsyncDisposable & { readonly create: () => Promise<LogUnderTest> };
export type Exception = { readonly test: string; readonly because: string };
export type Case = { readonly name: string; readonly run: (log: LogUnderTest) => Promise<void> };

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
