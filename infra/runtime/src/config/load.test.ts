import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from './load.ts';

test('a relative path means the same wherever the command is run from', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-config-'));
  const file = join(folder, 'postern.yaml');
  const issuer = (jwks: string) =>
    `  - { issuer: "https://idp.example/${jwks.length}", audience: [api], jwks: "${jwks}" }\n`;
  writeFileSync(
    file,
    `relationships: "spicedb://db:50051?tokenFile=./spicedb.token&tls=true"\neventLog: "file:./log"\nauditStore: "file:./audit"\nissuers:\n${issuer('file:./jwks.json')}${issuer('file:/etc/jwks.json')}${issuer('https://idp.example/jwks')}`,
  );
  const { config } = loadConfig(file, {});
  assert.deepEqual(
    config.issuers.map(({ jwks }) => jwks),
    [`file:${join(folder, 'jwks.json')}`, 'file:/etc/jwks.json', 'https://idp.example/jwks'],
  );
  assert.deepEqual(
    [config.eventLog, config.auditStore],
    [`file:${join(folder, 'log')}`, `file:${join(folder, 'audit')}`],
  );
  assert.equal(config.relationships, `spicedb://db:50051?tokenFile=${join(folder, 'spicedb.token')}&tls=true`);
});
