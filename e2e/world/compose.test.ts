/** The deployment's files hold together: whatever they name is there, and the rooms can read their configuration. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, loadModel } from '@postern/runtime';
import { parse } from 'yaml';
import { root } from './embedded.ts';

const folder = join(root, 'infra/deploy');

type Service = {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
};
type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const compose = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const environment = { SPICEDB_KEY: 'key', POSTGRES_PASSWORD: 'password' };

test('every service, volume, file and secret that compose.yaml names is there', () => {
  for (const [name, { volumes = [], secrets = [], depends_on = {} }] of services) {
    for (const [dependency, { condition }] of Object.entries(depends_on)) {
      assert.ok(dependency in compose.services, `${name} depends on ${dependency}`);
      if (condition === 'service_healthy')
        assert.ok(compose.services[dependency]?.healthcheck, `${dependency} says when it is healthy`);
    }
    for (const volume of volumes) {
      const [source = ''] = volume.split(':');
      assert.ok(source.startsWith('.') ? existsSync(join(folder, source)) : source in compose.volumes, volume);
    }
    for (const secret of secrets) assert.ok(secret in compose.secrets, secret);
  }
});

test('three gates are published, on the loopback, and nothing else is', () => {
  const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port] as const));
  assert.deepEqual(
    published.map(([name]) => name),
    ['proxy-1', 'proxy-2', 'proxy-3'],
  );
  assert.equal(new Set(published.map(([, port]) => port)).size, 3);
  for (const [, port] of published) assert.match(port, /^127\.0\.0\.1:\d+:8080$/);
});

test('the configuration is one that every room can read, and the rooms it names are services', () => {
  const loaded = loadConfig(join(folder, 'config/postern.yaml'), environment);
  const { config } = loaded;
  const { tokenFile: _file, listen: _listen, ...named } = config.rooms;
  const urls = [
    ...Object.values(named).map(String),
    config.eventLog ?? '',
    config.relationships ?? '',
    config.auditStore ?? '',
  ];
  for (const url of urls) assert.ok(new URL(url).hostname in compose.services, url);
  for (const { upstream } of Object.values(config.services)) assert.ok(new URL(upstream).hostname in compose.services);
  // The model's folder is mounted beside the configuration.
  const model = join(root, 'services/cli/demo');
  const files = {
    services: Object.fromEntries(
      Object.entries(config.services).map(([name, service]) => [
        name,
        { ...service, openapi: service.openapi?.replace('model', model) },
      ]),
    ),
    model: { ...config.model, roles: config.model.roles?.replace('model', model) },
  };
  assert.ok(loadModel({ ...loaded, config: { ...config, ...files } as typeof config }).roles.size > 0);
});

test('the image takes the manifest of every workspace, so that the lockfile fits', () => {
  const dockerfile = readFileSync(join(folder, 'Dockerfile'), 'utf8');
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>;
  };
  const workspaces = Object.keys(lock.packages).filter((path) => path !== '' && !path.includes('node_modules'));
  assert.ok(workspaces.length > 5);
  for (const workspace of workspaces)
    assert.ok(dockerfile.includes(`COPY ${workspace}/package.json ${workspace}/`), workspace);
});
