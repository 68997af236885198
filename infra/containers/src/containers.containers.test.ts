import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startKafka, startPostgres, startSpiceDb } from './index.ts';

const answers = async (url: string): Promise<boolean> => {
  const { connect } = await import('node:net');
  const { port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.unref();
  });
};

test('a broker answers again at the same address after it was ended, and after it was frozen', async () => {
  await using kafka = await startKafka();
  const { brokers } = kafka;
  await kafka.stop(0);
  assert.equal(await answers(`tcp://${brokers}`), false);
  await kafka.start();
  assert.equal(await answers(`tcp://${brokers}`), true);
  await kafka.pause();
  await kafka.unpause();
  assert.match(await kafka.logs(), /started/i);
});

test('SpiceDB serves from a migrated PostgreSQL database', async () => {
  await using postgres = await startPostgres();
  await using spicedb = await startSpiceDb({ postgresUrl: postgres.urlInNetwork });
  assert.equal(await answers(`tcp://${spicedb.endpoint}`), true);
});
