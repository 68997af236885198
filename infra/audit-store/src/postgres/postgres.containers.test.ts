import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type StartedPostgres, startPostgres } from '@postern/containers';
import { isProblem } from '@postern/schemas';
import pg from 'pg';
import { auditStoreConformance, type StorePlace } from '../conformance.ts';
import { entryOf, grow, idsOf, plain, rowOf } from '../conformance-entries.ts';
import { openAuditStore } from '../open.ts';
import { migrations, schema } from './tables.ts';

let server: StartedPostgres;
before(async () => {
  server = await startPostgres();
});
after(() => server[Symbol.asyncDispose]());

let databases = 0;
const execute = async (url: string, ...statements: readonly string[]): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
};
/** A database of its own on the one server. */
const inDatabase = async (): Promise<StorePlace & { readonly url: string }> => {
  const name = `audit_${++databases}`;
  await execute(server.url, `CREATE DATABASE ${name}`);
  const at = new URL(server.url);
  at.pathname = `/${name}`;
  const url = at.toString();
  return {
    url,
    open: () => openAuditStore(url),
    execute: (statement) => execute(url, `SET search_path = ${schema}`, statement),
    [Symbol.asyncDispose]: () => execute(server.url, `DROP DATABASE ${name} WITH (FORCE)`),
  };
};

auditStoreConformance('postgres', inDatabase);

test('the server refuses to empty a table, for a superuser and in a replica session as well', async () => {
  await using here = await inDatabase();
  await using _store = await here.open();
  for (const table of ['facts_entries', 'decisions_rows', 'heads', 'seals'])
    await assert.rejects(here.execute(`TRUNCATE ${table}`), /append-only/, table);
  await assert.rejects(
    execute(here.url, 'SET session_replication_role = replica', `DELETE FROM ${schema}.facts_entries`),
    /append-only/,
  );
});

test('the role that owns the tables and is no superuser has lost the right to change them', async () => {
  await using here = await inDatabase();
  const role = `owner_${databases}`;
  const at = new URL(here.url);
  await execute(server.url, `CREATE ROLE ${role} LOGIN PASSWORD 'owner'`);
  await execute(here.url, `GRANT CREATE ON DATABASE ${at.pathname.slice(1)} TO ${role}`);
  [at.username, at.password] = [role, 'owner'];
  {
    await using store = await openAuditStore(at.toString());
    await store.writer.append({ log: 'facts', expected: 0, entries: [], edge: [], cursors: { '0': 1 } });
    assert.deepEqual((await store.writer.state('facts')).cursors, { '0': 1 });
    for (const statement of ['DELETE FROM', 'TRUNCATE'])
      await assert.rejects(execute(at.toString(), `${statement} ${schema}.facts_entries`), /permission denied/);
  }
  await execute(here.url, `DROP OWNED BY ${role}`, `DROP ROLE ${role}`);
});

/** The service's own role, which owns nothing. */
const asService = async (): Promise<
  StorePlace & { readonly asOwner: (statement: string) => Promise<Record<string, unknown>[]> }
> => {
  const here = await inDatabase();
  const role = `service_${databases}`;
  await execute(server.url, `CREATE ROLE ${role} LOGIN PASSWORD 'service'`);
  const at = new URL(here.url);
  [at.username, at.password] = [role, 'service'];
  return {
    open: () => openAuditStore(at.toString(), undefined, here.url),
    execute: (statement) => execute(at.toString(), `SET search_path = ${schema}`, statement),
    asOwner: async (statement) => {
      const client = new pg.Client({ connectionString: here.url, options: `-c search_path=${schema}` });
      await client.connect();
      try {
        return (await client.query(statement)).rows;
      } finally {
        await client.end();
      }
    },
    [Symbol.asyncDispose]: async () => {
      await execute(here.url, `DROP OWNED BY ${role}`, `DROP ROLE ${role}`);
      await here[Symbol.asyncDispose]();
    },
  };
};

auditStoreConformance('postgres, as the service', asService);

test('the role of the service cannot change or remove anything, nor take away what keeps it from that', async () => {
  await using here = await asService();
  await using _store = await here.open();
  // Answered with a warning, and without effect.
  await here.execute('GRANT UPDATE, DELETE ON facts_entries TO CURRENT_USER');
  for (const table of ['facts_entries', 'facts_rows', 'decisions_entries', 'decisions_rows', 'checkpoints'])
    for (const statement of [
      `UPDATE ${table} SET ${table === 'checkpoints' ? 'number = 1' : 'idx = 1'}`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
    ])
      await assert.rejects(here.execute(statement), /permission denied/, statement);
  for (const statement of [
    'DELETE FROM heads',
    'DELETE FROM seals',
    'ALTER TABLE facts_entries DISABLE TRIGGER ALL',
    'DROP TRIGGER frozen ON facts_entries',
    'DROP TABLE facts_entries',
    'CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
    'SET session_replication_role = replica',
    'INSERT INTO migrations VALUES (99)',
  ])
    await assert.rejects(here.execute(statement), /permission denied|must be owner|must be able to/, statement);
});

test('many that open an empty database at once make its tables once', async () => {
  await using here = await inDatabase();
  const stores = await Promise.all(Array.from({ length: 5 }, () => here.open()));
  for (const store of stores) {
    assert.equal((await store.writer.state('facts')).size, 0);
    await store[Symbol.asyncDispose]();
  }
});

test('a server that is gone is a store that cannot be reached, and is used again when it is back', async () => {
  await using here = await inDatabase();
  await using store = await here.open();
  await execute(server.url, `ALTER DATABASE ${new URL(here.url).pathname.slice(1)} ALLOW_CONNECTIONS false`);
  await execute(
    server.url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postern-audit'",
  );
  const unreachable = (error: unknown) => isProblem(error, 'audit/store-unreachable');
  await assert.rejects(store.ping(), unreachable);
  await assert.rejects(store.writer.state('facts'), unreachable);
  await execute(server.url, `ALTER DATABASE ${new URL(here.url).pathname.slice(1)} ALLOW_CONNECTIONS true`);
  assert.equal((await store.writer.state('facts')).size, 0);
  await assert.rejects(openAuditStore('postgres://nobody:x@127.0.0.1:1/none'), unreachable);
});

test('a log grows through its partitions, each made before it is needed; a whole one can be taken away by the owner and by nobody else', {
  timeout: 120_000,
}, async () => {
  await using here = await asService();
  await using store = await here.open();
  const rowEvery = 1_000;
  const entries = 40_000;
  for (let from = 0; from < entries; from += 5_000)
    await grow(
      store,
      'decisions',
      Array.from({ length: 5_000 }, (_, at) =>
        entryOf(
          Buffer.from(`{"number":${from + at}}`),
          (from + at) % rowEvery === 0 ? [rowOf(from + at, { subject: 'user:ann' })] : [],
        ),
      ),
    );
  const parts = async () =>
    (await here.asOwner("SELECT first, past FROM parts WHERE log = 'decisions' AND first < past ORDER BY first")).map(
      ({ first, past }) => [Number(first), Number(past)] as const,
    );
  const made = await parts();
  assert.ok(made.length >= 3 && (made.at(-1)?.[0] ?? 0) > entries, `one lies ahead: ${made}`);
  made.slice(1).forEach(([first], at) => {
    assert.equal(first, made[at]?.[1], 'no gap between two');
  });
  const wanted = Array.from({ length: entries / rowEvery }, (_, at) => `id-${at * rowEvery}`).reverse();
  assert.deepEqual(idsOf(await store.reader.find('decisions', { subject: 'user:ann', limit: 100 })), wanted);
  assert.deepEqual(idsOf(await store.reader.find('decisions', { limit: 100 })), wanted);
  const [low, high] = ['2030-01-01T02:46:40Z', '2030-01-01T05:33:20Z'];
  assert.deepEqual(
    idsOf(await store.reader.find('decisions', { since: low, until: high, limit: 100 })),
    wanted.filter((id) => Number(id.slice(3)) >= 10_000 && Number(id.slice(3)) < 20_000),
  );
  for (const [first] of made)
    for (const statement of [
      `DELETE FROM decisions_rows_p${first}`,
      `UPDATE decisions_entries_p${first} SET idx = 1`,
      `DROP TABLE decisions_rows_p${first}`,
      `ALTER TABLE decisions_rows DETACH PARTITION decisions_rows_p${first}`,
    ])
      await assert.rejects(here.execute(statement), /permission denied|must be owner/, statement);
  await assert.rejects(here.asOwner(`DELETE FROM decisions_rows_p${made[0]?.[0]}`), /append-only/);
  for (const table of ['decisions_rows', 'decisions_entries'])
    await here.asOwner(`ALTER TABLE ${table} DETACH PARTITION ${table}_p0; DROP TABLE ${table}_p0`);
  assert.deepEqual(
    idsOf(await store.reader.find('decisions', { subject: 'user:ann', limit: 100 })),
    wanted.filter((id) => Number(id.slice(3)) >= (made[0]?.[1] ?? 0)),
  );
});

test('what was recorded in plain tables is found, and goes on, in partitions', async () => {
  await using here = await inDatabase();
  const client = new pg.Client({ connectionString: here.url });
  await client.connect();
  await client.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.migrations (version integer PRIMARY KEY)`);
  for (const [at, statements] of migrations.slice(0, 2).entries()) {
    await client.query(statements);
    await client.query(`INSERT INTO ${schema}.migrations (version) VALUES ($1)`, [at + 1]);
  }
  const entry = entryOf(Buffer.from('{"number":1}'));
  await client.query(`INSERT INTO ${schema}.decisions_entries (idx, bytes, leaf) VALUES (0, $1, $2)`, [
    Buffer.from(entry.bytes),
    Buffer.from(entry.leaf),
  ]);
  const row = rowOf(1, { sequence: 4, subject: 'user:ann' });
  await client.query(
    `INSERT INTO ${schema}.decisions_rows (idx, ord, at_ms, sequence, id, at, type, subject, body) VALUES (0, 0, $1, 4, $2, $3, $4, $5, $6)`,
    [Date.parse(row.at), row.id, row.at, row.type, row.subject, row.body],
  );
  await client.query(`UPDATE ${schema}.heads SET size = 1, edge = $1 WHERE log = 'decisions'`, [
    Buffer.from(entry.leaf),
  ]);
  await client.end();
  await using store = await here.open();
  await grow(store, 'decisions', [entryOf(Buffer.from('x'), [rowOf(2, { subject: 'user:ann' })])]);
  const { rows } = await store.reader.find('decisions', { subject: 'user:ann', order: 'oldest', limit: 9 });
  assert.deepEqual(rows[0], { ...row, index: 0 });
  assert.deepEqual(idsOf({ rows }), ['id-1', 'id-2']);
  assert.deepEqual(idsOf(await store.reader.find('decisions', { until: row.at, limit: 9 })), []);
  assert.deepEqual(idsOf(await store.reader.find('decisions', { toSequence: 4, limit: 9 })), ['id-1']);
  assert.deepEqual(plain(await store.reader.entries('decisions', 0, 1)), plain([entry.bytes]));
});
