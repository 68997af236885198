/**
 * The promises of port.ts, as tests that every backend runs. A backend that cannot keep one says why, in data.
 * With POSTERN_CONFORMANCE_MATRIX=FILE each result is appended to FILE as one JSON line.
 */
import { appendFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { checking } from './conformance/checking.ts';
import { projecting } from './conformance/projecting.ts';
import { type Exception, type Open, stage } from './conformance/stage.ts';
import type { Relationships } from './port.ts';

export const relationshipsConformance = (backend: string, open: Open, exceptions: readonly Exception[] = []): void => {
  describe(`relationships: ${backend}`, () => {
    let engine: Relationships | undefined;
    before(async () => {
      engine = await open();
    });
    after(() => engine?.[Symbol.asyncDispose]());
    for (const [name, run] of Object.entries({ ...projecting, ...checking })) {
      const exception = exceptions.find((each) => each.test === name);
      if (exception) record({ backend, case: name, result: 'skipped', because: exception.because });
      test(name, { skip: exception?.because ?? false }, async () => {
        try {
          if (engine === undefined) throw new TypeError('the engine did not open');
          await run(await stage(engine));
          record({ backend, case: name, result: 'passed' });
        } catch (error) {
          record({ backend, case: name, result: 'failed' });
          throw error;
        }
      });
    }
  });
};

const record = (line: Readonly<Record<string, string>>): void => {
  const file = process.env['POSTERN_CONFORMANCE_MATRIX'];
  if (file !== undefined && file !== '')
    appendFileSync(file, `${JSON.stringify({ suite: 'relationships', ...line })}\n`);
};
