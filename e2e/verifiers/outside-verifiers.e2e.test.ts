/** What Postern writes is accepted by other people's code, and what was altered is refused by it. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { logKeys, makeSigningKey, parseSigningKeys, rotatedKeys, verifyFolder } from '@postern/audit/app';
import {
  cosign,
  type NoteSigner,
  proveConsistency,
  proveInclusion,
  signCheckpoint,
  toBase64,
  vkeyText,
  witnessKey,
  witnessVkeyText,
} from '@postern/schemas/tlog';
import { postern } from '../world/command.ts';
import { demoWorld } from '../world/embedded.ts';
import { buildVerifiers, type Verifiers, whyNoGo } from './go-tools.ts';
import { numberedTree, rootOf, sha256, writeLogFiles } from './log-files.ts';

const folder = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'postern-outside-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};
const signersOf = async (name: string, key = makeSigningKey()): Promise<readonly NoteSigner[]> =>
  (await logKeys(name, parseSigningKeys(key))).signers;
const onlySigner = async (name: string): Promise<NoteSigner> => {
  const [signer] = await signersOf(name);
  assert.ok(signer);
  return signer;
};

describe("other people's verifiers", { skip: whyNoGo() }, () => {
  let verifiers: Verifiers;
  before(async () => {
    verifiers = await buildVerifiers();
  });
  after(() => verifiers[Symbol.asyncDispose]());

  test('x/mod/sumdb and Tessera accept both logs of a running gate, their proofs and their growth; so does verifying offline', {
    timeout: 180_000,
  }, async () => {
    await using here = await folder();
    await using world = await demoWorld();
    const run = async (...args: string[]) => {
      const ended = await postern(args, { cwd: world.folder, env: { POSTERN_URL: world.gate } });
      assert.equal(ended.code, 0, `postern ${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
      return ended.stdout;
    };
    const kept = join(here.path, 'kept');
    await writeFile(kept, await run('audit', 'checkpoint', '--log', 'facts'));
    for (const subject of ['user:dave', 'user:bob'])
      await run('grant', subject, 'payroll-reader', '--reason', 'test', '--wait', 'enforced');
    for (const log of ['facts', 'decisions']) await mkdir(join(here.path, log));
    await writeFile(join(here.path, 'facts', '2.tlog-proof'), await run('audit', 'proof', '3'));
    await writeFile(join(here.path, 'facts', 'kept.consistency'), await run('audit', 'proof', '--since', kept));
    await run('audit', 'copy', here.path);
    for (const log of ['facts', 'decisions'] as const) {
      const at = join(here.path, log);
      const vkey = await readFile(join(at, 'vkey'), 'utf8');
      const judged = await verifiers.outside(['log', at, vkey.trim()]);
      assert.equal(judged.code, 0, judged.said);
      assert.match(judged.said, log === 'facts' ? /, 1 proofs, 1 consistency proofs/ : /accepted: \d+ entries/);
      const checked = await verifiers.fsck(at, join(at, 'vkey'));
      assert.equal(checked.code, 0, checked.said);
      const ours = await verifyFolder(at, log, { vkey, earlier: log === 'facts' ? await readFile(kept, 'utf8') : [] });
      assert.equal(ours.outcome, 'intact', JSON.stringify(ours));
    }
  });

  test('Tessera and x/mod/sumdb accept a log of 70,000 entries in its 277 tiles of hashes, and refuse it with one bit flipped', {
    timeout: 400_000,
  }, async () => {
    await using here = await folder();
    const signer = await onlySigner('log.example/numbered');
    await writeLogFiles(here.path, 70_000, signer);
    const files = (await readdir(join(here.path, 'tile'), { recursive: true, withFileTypes: true }))
      .filter((each) => each.isFile())
      .map((each) => join(each.parentPath, each.name).slice(here.path.length + 1));
    assert.equal(files.filter((file) => !file.startsWith('tile/entries/')).length, 277);
    const judge = () => verifiers.outside(['log', here.path, vkeyText(signer)]);
    const check = () => verifiers.fsck(here.path, join(here.path, 'vkey'));
    const [judged, checked] = [await judge(), await check()];
    assert.equal(judged.code, 0, judged.said);
    assert.match(judged.said, /accepted: 70000 entries/);
    assert.equal(checked.code, 0, checked.said);
    const bundle = join(here.path, 'tile/entries/x000/123'.replace('x000/', ''));
    const bytes = await readFile(bundle);
    await writeFile(bundle, bytes.with(300, (bytes[300] ?? 0) ^ 4));
    assert.notEqual((await judge()).code, 0);
    assert.notEqual((await check()).code, 0);
  });

  test("every proof of ours for sizes up to 300 holds for Go's tlog, and none does once it is altered", {
    timeout: 400_000,
  }, async () => {
    const tree = numberedTree(300);
    const lines: string[] = [];
    const flip = (hash: Uint8Array): Uint8Array => hash.map((byte, at) => (at === 5 ? byte ^ 1 : byte));
    const ask = (
      kind: string,
      size: number,
      at: number,
      root: Uint8Array,
      hash: Uint8Array,
      path: readonly Uint8Array[],
    ) => {
      const line = (holds: boolean, changed: object = {}) =>
        JSON.stringify({
          kind,
          size,
          at,
          root: toBase64(root),
          hash: toBase64(hash),
          path: path.map(toBase64),
          holds,
          ...changed,
        });
      lines.push(line(true), line(false, { root: toBase64(flip(root)) }), line(false, { hash: toBase64(flip(hash)) }));
      for (const [place, one] of path.entries())
        lines.push(line(false, { path: path.with(place, flip(one)).map(toBase64) }));
      if (path.length > 0) lines.push(line(false, { path: path.slice(1).map(toBase64) }));
    };
    for (let size = 1; size <= 300; size++) {
      const root = await rootOf(tree, size);
      const places = new Set([
        0,
        1,
        size >> 1,
        size - 1,
        ...Array.from({ length: 6 }, () => Math.floor(Math.random() * size)),
      ]);
      for (const at of places) {
        if (at >= size) continue;
        ask('inclusion', size, at, root, tree.leaf(at), await proveInclusion(sha256, tree.subtree, at, size));
        const old = at + 1;
        ask(
          'consistency',
          size,
          old,
          root,
          await rootOf(tree, old),
          await proveConsistency(sha256, tree.subtree, old, size),
        );
      }
    }
    const judged = await verifiers.outside(['proofs'], lines);
    assert.equal(judged.code, 0, judged.said);
    assert.equal(judged.said.trim(), `accepted: ${lines.length}`);
  });

  test('checkpoints with two keys of the log, and with witnesses, are read by x/mod and transparency-dev/formats', async () => {
    await using here = await folder();
    const signers = await signersOf('log.example/facts', rotatedKeys(makeSigningKey()));
    assert.equal(signers.length, 2);
    const root = await rootOf(numberedTree(9), 9);
    const note = await signCheckpoint({ origin: 'log.example/facts', size: 9, root }, signers);
    const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
    const vkeys: string[] = [];
    let cosigned = note;
    for (const name of ['witness.example/one', 'witness.example/two']) {
      const signer = await onlySigner(name);
      const key = await witnessKey(name, signer.publicKey);
      vkeys.push(witnessVkeyText(key));
      cosigned += await cosign(text, { ...signer, ...key }, 1_900_000_000);
    }
    const file = join(here.path, 'checkpoint');
    const judge = async (content: string, logKey: string) => {
      await writeFile(file, content);
      return (await verifiers.outside(['cosigned', file, logKey, ...vkeys])).code;
    };
    for (const signer of signers) assert.equal(await judge(cosigned, vkeyText(signer)), 0);
    const [first] = signers;
    assert.ok(first);
    assert.notEqual(await judge(note, vkeyText(first)), 0, 'no witness has signed');
    assert.notEqual(await judge(cosigned.replace('\n9\n', '\n8\n'), vkeyText(first)), 0);
  });
});
