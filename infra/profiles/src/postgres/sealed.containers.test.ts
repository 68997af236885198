import { after, before } from 'node:test';
import { type StartedPostgres, startPostgres } from '@postern/containers';
import pg from 'pg';
import { openProfileStore, openSealedStore } from '../open.ts';
import { sealedConformance } from '../sealed/conformance.ts';

let server: StartedPostgres;
before(async () => {
  server = await startPostgres();
});
after(() => server[Symbol.asyncDispose]());

let databases = 0;
sealedConformance('postgres', async () => {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const name = `sealed_${++databases}`;
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const at = new URL(server.url);
  at.pathname = `/${name}`;
  await (await openProfileStore(at.toString()))[Symbol.asyncDispose]();
  const store = await openSealedStore(at.toString());
  return {
    store,
    /** The pages of the tables, their overflow and their indexes, as they lie on the server's disk. */
    holds: async (text) => {
      const reader = new pg.Client({ connectionString: at.toString() });
      await reader.connect();
      try {
        await reader.query('CHECKPOINT');
        const { rows } = await reader.query<{ bytes: Buffer }>(
          `SELECT pg_read_binary_file(pg_relation_filepath(c.oid)) AS bytes FROM pg_class c
           WHERE pg_relation_filepath(c.oid) IS NOT NULL AND c.oid >= 16384`,
        );
        return rows.some(({ bytes }) => bytes?.includes(Buffer.from(text, 'latin1')));
      } finally {
        await reader.end();
      }
    },
  };
});
