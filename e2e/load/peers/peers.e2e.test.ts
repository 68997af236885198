/** Whoever is measured as a peer does what it is measured for: started once here, and asked. What is not on the machine is skipped. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type StubApi, stubApi } from '../../world/own-api.ts';
import { foundPeers, type PeerIssuer, startPeer, startPeerSpiceDb } from './peers.ts';

const issuer = 'https://bench.example';
let api: StubApi;
let folder: string;
let tokens: PeerIssuer;
let spicedb: Awaited<ReturnType<typeof startPeerSpiceDb>>;
before(async () => {
  [api, folder] = await Promise.all([stubApi(), mkdtemp(join(tmpdir(), 'postern-peers-'))]);
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwksFile = join(folder, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] }));
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setIssuer(issuer)
    .setAudience('bench')
    .setSubject('bench')
    .setExpirationTime('1h')
    .sign(privateKey);
  tokens = { issuer, audience: 'bench', jwksFile, token, subject: 'bench' };
  spicedb = await startPeerSpiceDb();
});
after(async () => {
  await spicedb?.close();
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const { found, missing } = foundPeers();
for (const { name, why } of missing) test(`${name} is measured`, { skip: why }, () => {});
for (const { name, does } of found)
  test(`${name} ${does === 'nothing' ? 'passes everything on' : 'passes on what is allowed, and refuses the rest'}`, async (context) => {
    if (does === 'decides' && spicedb === undefined) return context.skip('spicedb is not on this machine');
    const holds = { users: 200, roles: 10, endpoints: 50 };
    const peer = await startPeer(name, api.url, tokens, spicedb && { ...spicedb, holds });
    try {
      const reached = api.reached.length;
      assert.equal((await fetch(peer.url, { headers: peer.headers })).status, 200);
      assert.equal(api.reached.length, reached + 1);
      const { pids } = peer;
      assert.ok(pids.length > 0 && pids.every((pid) => pid > 0));
    } finally {
      await peer.close();
    }
  });
