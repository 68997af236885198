/** A SpiceDB server: `spicedb://host:port?token=…`, or `?tokenFile=…`; `&tls=true` where it serves TLS. */
import { readFile } from 'node:fs/promises';
import { deadlineInterceptor, v1 } from '@authzed/authzed-node';
import { Problem } from '@postern/schemas';
import type { Relationships } from '../port.ts';
import { heard } from './calls.ts';
import { relationshipsOver } from './protocol.ts';

export type SpiceDbOptions = {
  /** For each call; a page of a read counts as one call. */
  readonly deadlineMs?: number;
};

export const openSpiceDb = async (url: string, { deadlineMs = 5_000 }: SpiceDbOptions = {}): Promise<Relationships> => {
  const { host, port, searchParams } = new URL(url);
  const endpoint = port === '' ? `${host}:50051` : host;
  const token = await presharedKey(searchParams);
  const client = v1.NewClient(
    token,
    endpoint,
    searchParams.get('tls') === 'true' ? v1.ClientSecurity.SECURE : v1.ClientSecurity.INSECURE_PLAINTEXT_CREDENTIALS,
    undefined,
    {
      // The client's own default deadline misses connections that it opens beforehand, so ours is given outright.
      interceptors: [deadlineInterceptor(deadlineMs)],
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2_000,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 5_000,
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
    },
  );
  return relationshipsOver({
    writeSchema: (request) => client.promises.writeSchema(request),
    readSchema: (request) => client.promises.readSchema(request),
    writeRelationships: (request) => client.promises.writeRelationships(request),
    checkBulkPermissions: (request) => client.promises.checkBulkPermissions(request),
    readRelationships: (request) => heard(client.readRelationships(request)),
    lookupSubjects: (request) => heard(client.lookupSubjects(request)),
    lookupResources: (request) => heard(client.lookupResources(request)),
    close: () => client.close(),
  });
};

const presharedKey = async (parameters: URLSearchParams): Promise<string> => {
  const token = parameters.get('token');
  if (token !== null) return token;
  const file = parameters.get('tokenFile');
  if (file === null)
    throw new Problem('runtime/bad-config', {
      detail: 'the spicedb: URL names no token',
      fix: 'Write spicedb://host:port?tokenFile=FILE.',
    });
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new Problem('runtime/bad-config', {
      detail: `the token file ${file} cannot be read`,
      fix: 'Write the file, or name another one in tokenFile.',
      cause,
    });
  }
};
