/**
 * A log's address: `kafka://HOST:PORT[,HOST:PORT…]/PREFIX[?ssl=true&caFile=FILE&saslFile=FILE]`. The SASL file holds
 * `MECHANISM USER PASSWORD` on one line (plain, scram-sha-256, scram-sha-512): a secret never stands in a URL.
 */
import { readFileSync } from 'node:fs';
import { Problem } from '@postern/schemas';
import type { KafkaConfig, SASLOptions } from 'kafkajs';

export type KafkaSettings = {
  readonly brokers: string[];
  /** What stands behind the brokers: a prefix of topics, or one topic. */
  readonly path: string;
  readonly ssl?: Exclude<KafkaConfig['ssl'], undefined>;
  readonly sasl?: SASLOptions;
};

const shape = /^kafka:\/\/([^/?@]+)\/([A-Za-z0-9._-]+)(?:\?(.*))?$/;

export const parseKafkaUrl = (url: string): KafkaSettings => {
  const [, hosts, path, query] = shape.exec(url) ?? [];
  if (hosts === undefined || path === undefined)
    throw new Problem('runtime/bad-config', {
      detail: `"${url}" names no brokers and topic prefix`,
      fix: 'Write kafka://HOST:PORT,HOST:PORT/PREFIX; user and password go into a file named by ?saslFile=.',
    });
  const brokers = hosts.split(',').map((host) => (/:\d+$/.test(host) ? host : `${host}:9092`));
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys())
    if (!['ssl', 'caFile', 'saslFile'].includes(name))
      throw new Problem('runtime/bad-config', {
        detail: `"${name}" is no parameter of a kafka URL`,
        fix: 'Use ssl, caFile and saslFile.',
      });
  const caFile = parameters.get('caFile');
  const saslFile = parameters.get('saslFile');
  return {
    brokers,
    path,
    ...(caFile !== null
      ? { ssl: { ca: [readFile(caFile)] } }
      : parameters.get('ssl') === 'true' && { ssl: true as const }),
    ...(saslFile !== null && { sasl: parseSasl(readFile(saslFile), saslFile) }),
  };
};

const readFile = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Problem('runtime/bad-config', { detail: `the file ${file} of the kafka URL cannot be read`, cause });
  }
};

const parseSasl = (text: string, file: string): SASLOptions => {
  const [mechanism, username, password] = text.trim().split(/\s+/);
  if (username !== undefined && password !== undefined) {
    switch (mechanism) {
      case 'plain':
        return { mechanism, username, password };
      case 'scram-sha-256':
        return { mechanism, username, password };
      case 'scram-sha-512':
        return { mechanism, username, password };
    }
  }
  throw new Problem('runtime/bad-config', {
    detail: `${file} holds no SASL credential`,
    fix: 'Write one line: MECHANISM USER PASSWORD, with plain, scram-sha-256 or scram-sha-512 as mechanism.',
  });
};
