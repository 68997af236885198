import { after, before } from 'node:test';
import { type StartedPostgres, startPostgres } from '@postern/containers';
import pg from 'pg';
import { profileConformance } from '../conformance.ts';
import { openProfileStore } from '../open.ts';

let server: StartedPostgres;
before(async () => {
  server = await startPostgres();
});
after(() => server[Symbol.asyncDispose]());

let databases = 0;
profileConformance('postgres', async () => {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const name = `profiles_${++databases}`;
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const at = new URL(server.url);
  at.pathname = `/${name}`;
  return openProfileStore(at.toString());
});
