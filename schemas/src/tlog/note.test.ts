import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts';
import { edgeRoot, growEdge } from './edge.ts';
import { leafHash } from './hash.ts';
import { type NoteKeyPair, type NoteSigner, noteSigner, openNote, parseVkey, signNote, vkeyText } from './note.ts';
import { parseProof, verifyProof, writeProof } from './proof-text.ts';
import { proveInclusion, subtreesOf } from './prove.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());

// The example key and note in the documentation of golang.org/x/mod/sumdb/note.
const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const seed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const signature =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const note = `${text}\n${signature}`;

const signerOf = async (name: string, secret: Uint8Array): Promise<NoteSigner> => {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return noteSigner(name, {
    privateKey: privateKey.toCryptoKey('Ed25519', false, ['sign']),
    publicKey: createPublicKey(privateKey).toCryptoKey('Ed25519', true, ['verify']),
  });
};
const anySigner = async (name: string): Promise<NoteSigner> => {
  const keys = await webcrypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  return noteSigner(name, keys as NoteKeyPair);
};

test('the documented example note is written byte for byte and opened by its key', async () => {
  const signer = await signerOf('PeterNeumann', seed);
  assert.equal(vkeyText(signer), vkey);
  assert.equal(await signNote(text, [signer]), note);
  const key = await parseVkey(vkey);
  assert.ok(key);
  const opened = await openNote(note, [key]);
  assert.equal(opened.outcome, 'signed');
  assert.equal(opened.outcome === 'signed' && opened.text, text);
});

test('the key of a public log is read and written as it is', async () => {
  const sumdb = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
  const key = await parseVkey(sumdb);
  assert.ok(key);
  assert.equal(vkeyText(key), sumdb);
});

test('a verifier key with any character changed is no key', async () => {
  for (let at = 0; at < vkey.length; at++) {
    const other = vkey[at] === 'A' ? 'B' : 'A';
    assert.equal(await parseVkey(vkey.slice(0, at) + other + vkey.slice(at + 1)), undefined, `character ${at}`);
  }
});

test('a note with any byte changed is refused', async () => {
  const key = await parseVkey(vkey);
  assert.ok(key);
  const bytes = Buffer.from(note);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal((await openNote(changed.toString(), [key])).outcome, 'refused', `byte ${at}`);
  }
});

test('lines of unknown keys are passed over, and a wrong line of a known key spoils the note', async () => {
  const [one, two] = [await anySigner('log.example/facts'), await anySigner('witness.example')];
  const both = await signNote('text\n', [one, two]);
  assert.equal((await openNote(both, [one])).outcome, 'signed');
  assert.equal((await openNote(await signNote('text\n', [two]), [one])).outcome, 'refused');
  const forged = both.replace(/(witness\.example .{20})./, (_, head: string) => `${head}!`);
  assert.equal((await openNote(forged, [one])).outcome, 'refused');
  const impostor = await anySigner('log.example/facts');
  const twice = `${both}${(await signNote('other\n', [{ ...impostor, id: one.id }])).split('\n\n')[1]}`;
  assert.equal((await openNote(twice, [one])).outcome, 'refused');
});

test('a checkpoint is believed only for the log whose key signed it', async () => {
  const signer = await anySigner('log.example/facts');
  const root = sha256(new Uint8Array());
  const signed = await openCheckpoint(await signCheckpoint({ origin: signer.name, size: 3, root }, [signer]), signer);
  assert.deepEqual(signed, { outcome: 'signed', checkpoint: { origin: signer.name, size: 3, root } });
  const other = await signCheckpoint({ origin: 'log.example/decisions', size: 3, root }, [signer]);
  assert.equal((await openCheckpoint(other, signer)).outcome, 'refused');
  for (const size of ['03', '-1', '1e3', '', '9007199254740993'])
    assert.equal(parseCheckpoint(`origin\n${size}\n${'A'.repeat(43)}=\n`), undefined, size);
});

test('a tlog-proof proves its entry, and no other byte for byte', async () => {
  const signer = await anySigner('log.example/facts');
  const entries = Array.from({ length: 9 }, (_, index) => new TextEncoder().encode(`{"entry":${index}}`));
  const leaves = entries.map((entry) => leafHash(sha256, entry));
  const root = edgeRoot(sha256, growEdge(sha256, [], 0, leaves));
  const path = await proveInclusion(
    sha256,
    subtreesOf(sha256, async (from, to) => leaves.slice(from, to)),
    4,
    9,
  );
  const checkpoint = await signCheckpoint({ origin: signer.name, size: 9, root }, [signer]);
  const proof = writeProof({ index: 4, path, checkpoint });
  assert.match(proof, /^c2sp\.org\/tlog-proof@v1\nindex 4\n([A-Za-z0-9+/=]{44}\n){4}\nlog\.example\/facts\n9\n/);
  assert.deepEqual(parseProof(proof), { index: 4, path, checkpoint });
  const extra = Uint8Array.from([1, 2, 3]);
  assert.deepEqual(parseProof(writeProof({ index: 4, path, checkpoint, extra })), {
    index: 4,
    path,
    checkpoint,
    extra,
  });
  const [entry, neighbour] = entries.slice(4);
  assert.ok(entry && neighbour);
  assert.equal((await verifyProof(proof, entry, signer)).outcome, 'proven');
  assert.equal((await verifyProof(proof, neighbour, signer)).outcome, 'refused');
  const bytes = Buffer.from(proof);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal((await verifyProof(changed.toString(), entry, signer, sha256)).outcome, 'refused', `byte ${at}`);
  }
});
