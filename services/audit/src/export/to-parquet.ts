/** Rows as an Apache Parquet file, a group of rows at a time: memory does not grow with the record. */
import { rowMembers, type ServedRow } from '@postern/schemas/record';
import { fileWriter, parquetWriteRows } from 'hyparquet-writer';

const groupRows = 10_000;
const whole = new Set(['index', 'sequence']);
const names = ['index', ...rowMembers] as const;

/** `body` is JSON text; `at` the text that was recorded. Rejects where the file cannot be written. */
export const writeParquet = async (file: string, rows: AsyncIterable<ServedRow>): Promise<void> => {
  const told = async function* (): AsyncGenerator<Record<string, unknown>> {
    for await (const row of rows)
      yield Object.fromEntries(
        names.map((name) => {
          const value = row[name];
          if (value === undefined || value === null) return [name, null];
          return [
            name,
            name === 'body' ? JSON.stringify(value) : whole.has(name) ? BigInt(Number(value)) : String(value),
          ];
        }),
      );
  };
  await parquetWriteRows({
    writer: fileWriter(file),
    columns: names.map((name) => ({ name, type: whole.has(name) ? 'INT64' : 'STRING', nullable: name !== 'index' })),
    rows: told(),
    rowGroupSize: groupRows,
  });
};
