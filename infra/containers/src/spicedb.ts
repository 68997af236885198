/** One SpiceDB server, in memory or on a PostgreSQL database of its own. */
import { type StartedContainer, startContainer } from './started-container.ts';

export type StartedSpiceDb = StartedContainer & {
  /** `host:port` of the gRPC API without TLS, as seen from the host. */
  readonly endpoint: string;
  readonly presharedKey: string;
};

export type SpiceDbOptions = {
  /** As seen from a container: `urlInNetwork` of a started PostgreSQL. In memory where none is given: `stop` then loses everything. */
  readonly postgresUrl?: string;
};

const presharedKey = 'postern-test-key';
/** The preface of HTTP/2 and an empty SETTINGS frame: answered by the server's own SETTINGS (frame type 4). */
const preface = new TextEncoder().encode('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');

export const startSpiceDb = async ({ postgresUrl }: SpiceDbOptions = {}): Promise<StartedSpiceDb> => {
  const datastore =
    postgresUrl === undefined
      ? ['--datastore-engine', 'memory']
      : ['--datastore-engine', 'postgres', '--datastore-conn-uri', postgresUrl];
  const { address, ...container } = await startContainer(() => ({
    image: process.env['POSTERN_SPICEDB_IMAGE'] ?? 'authzed/spicedb:v1.56.2',
    alias: 'spicedb',
    port: 50051,
    // An image from scratch has no time zones, and then the engine can judge no condition on hours.
    folders: [{ source: '/usr/share/zoneinfo', target: '/usr/share/zoneinfo' }],
    probe: { say: preface, understands: (answer) => answer[3] === 4 },
    ...(postgresUrl !== undefined && {
      before: [['datastore', 'migrate', 'head', '--skip-release-check', ...datastore]],
    }),
    command: [
      'serve',
      '--grpc-preshared-key',
      presharedKey,
      '--telemetry-endpoint',
      '',
      '--skip-release-check',
      ...datastore,
    ],
  }));
  return { ...container, endpoint: `${address.host}:${address.port}`, presharedKey };
};
