/** Sealed texts in PostgreSQL, beside the profiles. */
import type { SealedStore, SealedText } from '../sealed/port.ts';
import { toText } from '../sealed/row.ts';
import { guarded, openPool, schema, transact } from './pool.ts';

const table = `${schema}.sealed`;
const tables = `
  CREATE TABLE IF NOT EXISTS ${table} (
    commitment text PRIMARY KEY, salt bytea NOT NULL, text text NOT NULL, subject text NOT NULL, author text NOT NULL,
    member text NOT NULL, sequence bigint NOT NULL
  );
  CREATE INDEX IF NOT EXISTS sealed_subject ON ${table} (subject, sequence);
  CREATE INDEX IF NOT EXISTS sealed_author ON ${table} (author, sequence);
  -- A row stands here from a deletion until the tables have been written anew without what was deleted.
  CREATE TABLE IF NOT EXISTS ${schema}.unscrubbed (id boolean PRIMARY KEY DEFAULT true);
`;

/** Rejects with `grants/profiles-unreachable`. */
export const openPostgresSealed = async (url: string): Promise<SealedStore> => {
  // Writing the tables anew takes as long as they are large, and waits for readers.
  const pool = await openPool(url, tables, { name: 'postern-sealed', queryTimeoutMs: 300_000, lockTimeoutMs: 60_000 });

  /** A deleted row stays in its page until that is used again: the tables are written anew, and the old files go. */
  const scrub = async (): Promise<void> => {
    await pool.query(`VACUUM (FULL) ${table}`);
    const profiles = await pool.query('SELECT to_regclass($1) IS NOT NULL AS there', [`${schema}.profiles`]);
    if (profiles.rows[0]?.there === true) await pool.query(`VACUUM (FULL) ${schema}.profiles`);
    await pool.query(`DELETE FROM ${schema}.unscrubbed`);
  };
  const rows = async (text: string, values: unknown[]): Promise<SealedText[]> =>
    (await guarded(() => pool.query(text, values))).rows.map(toText);

  return {
    keep: (texts) =>
      guarded(async () => {
        await pool.query(
          `INSERT INTO ${table} SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])`,
          [
            texts.map(({ commitment }) => commitment),
            texts.map(({ salt }) => Buffer.from(salt)),
            texts.map(({ text }) => text.toWellFormed().replaceAll('\0', '\ufffd')),
            texts.map(({ subject }) => subject),
            texts.map(({ author }) => author),
            texts.map(({ member }) => member),
            texts.map(({ sequence }) => sequence),
          ],
        );
      }),
    forget: (commitments) =>
      guarded(async () => void (await pool.query(`DELETE FROM ${table} WHERE commitment = ANY($1)`, [commitments]))),
    find: (commitments) => rows(`SELECT * FROM ${table} WHERE commitment = ANY($1)`, [commitments]),
    of: (who) =>
      'subject' in who
        ? rows(`SELECT * FROM ${table} WHERE subject = $1 ORDER BY sequence, commitment`, [who.subject])
        : rows(`SELECT * FROM ${table} WHERE author = $1 ORDER BY sequence, commitment`, [who.author]),
    erase: (subject, before) =>
      guarded(async () => {
        const erased = await transact(pool, async (client) => {
          const gone = await client.query(`DELETE FROM ${table} WHERE subject = $1 AND sequence < $2`, [
            subject,
            before,
          ]);
          if (gone.rowCount)
            await client.query(`INSERT INTO ${schema}.unscrubbed DEFAULT VALUES ON CONFLICT DO NOTHING`);
          return gone.rowCount ?? 0;
        });
        if ((await pool.query(`SELECT 1 FROM ${schema}.unscrubbed`)).rowCount) await scrub();
        return erased;
      }),
    scrub: () => guarded(scrub),
    [Symbol.asyncDispose]: () => pool.end(),
  };
};
