/** The chain of a certificate, as far as keys did sign it. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { certificateAuthority } from '../trial/certificates.ts';
import { type Shown, signers } from './presented.ts';

const shown = (...pems: string[]): Shown | undefined => {
  const [first, ...rest] = pems;
  if (first === undefined) return undefined;
  return { raw: new X509Certificate(first).raw, issuerCertificate: shown(...rest) };
};
const chainOf = (...pems: [string, ...string[]]): string[] => {
  const all = shown(...pems);
  assert.ok(all !== undefined);
  return signers(new X509Certificate(pems[0]), all).map(({ subject }) => subject);
};

test('only those whose key signed the one before are of its chain, whatever names a client sends beside it', async () => {
  const [mesh, partner] = [await certificateAuthority('CN=mesh'), await certificateAuthority('CN=partner')];
  const between = await certificateAuthority('CN=between', mesh);
  const [leaf, below] = [await mesh.sign(), await between.sign()];
  assert.deepEqual(chainOf(leaf.certificate, mesh.certificate), ['CN=mesh']);
  assert.deepEqual(chainOf(below.certificate, between.certificate, mesh.certificate), ['CN=between', 'CN=mesh']);
  // Of the mesh's name and key, and it claims to be signed by the partner, whose key it never saw.
  const claims = await certificateAuthority('CN=mesh', { ...partner, keys: mesh.keys }, mesh.keys);
  assert.deepEqual(chainOf(leaf.certificate, claims.certificate, partner.certificate), ['CN=mesh']);
  const namesake = await certificateAuthority('CN=mesh');
  assert.deepEqual(chainOf(leaf.certificate, namesake.certificate), []);
  const { certificate: plain } = await partner.sign({ subject: 'CN=mesh' });
  assert.deepEqual(chainOf(leaf.certificate, plain), [], 'no authority');
});
