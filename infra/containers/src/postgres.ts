/** One PostgreSQL server with an empty database. */
import { type StartedContainer, startContainer } from './started-container.ts';

export type StartedPostgres = StartedContainer & {
  /** As seen from the host. */
  readonly url: string;
  /** As seen from other containers of this process. */
  readonly urlInNetwork: string;
  /** What a statement gives in the first database, as the server's owner: a line a row, `|` between two values. */
  readonly query: (statement: string) => Promise<string>;
};

const user = 'postern';
const password = 'postern-test';

/** A start-up message (protocol 3.0): answered by a request to authenticate (`R`), or by an error while still starting (`E`). */
const greeting = (() => {
  const text = new TextEncoder().encode(`user\0${user}\0database\0${user}\0\0`);
  const message = new Uint8Array(8 + text.byteLength);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.byteLength);
  view.setUint32(4, 3 << 16);
  message.set(text, 8);
  return message;
})();

export type PostgresOptions = {
  /** The name other containers reach it by: a second server of one process needs one of its own. */
  readonly alias?: string;
};

export const startPostgres = async ({ alias = 'postgres' }: PostgresOptions = {}): Promise<StartedPostgres> => {
  const { address, ...container } = await startContainer(() => ({
    image: process.env['POSTERN_POSTGRES_IMAGE'] ?? 'postgres:15',
    alias,
    port: 5432,
    probe: { say: greeting, understands: (answer) => answer[0] === 'R'.charCodeAt(0) },
    environment: { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: user },
    // SpiceDB's Watch reads the order of commits from their timestamps.
    command: ['postgres', '-c', 'track_commit_timestamp=on'],
  }));
  const url = (host: string, port: number) => `postgres://${user}:${password}@${host}:${port}/${user}?sslmode=disable`;
  return {
    ...container,
    url: url(address.host, address.port),
    urlInNetwork: url(alias, 5432),
    query: (statement) => container.run(['psql', '-U', user, '-d', user, '-v', 'ON_ERROR_STOP=1', '-Atc', statement]),
  };
};
