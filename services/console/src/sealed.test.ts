import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { z } from 'zod';
import { sealedFor } from './sealed.ts';

const key = randomBytes(32).toString('base64url');
const Content = z.strictObject({ state: z.string() });

test('what is sealed opens for its purpose, with its key, unchanged, until its time is over, and never else', async () => {
  let now = 1_700_000_000_000;
  const clock = { now: () => now };
  const one = sealedFor('sign-in', Content, key, clock);
  const text = await one.seal({ state: 's' }, 60);
  assert.doesNotMatch(Buffer.from(text.split('.').at(-2) ?? '', 'base64url').toString('latin1'), /state/);
  assert.deepEqual(await one.open(text), { state: 's' });
  assert.equal(await sealedFor('renewal', Content, key, clock).open(text), undefined, 'another purpose');
  const other = randomBytes(32).toString('base64url');
  assert.equal(await sealedFor('sign-in', Content, other, clock).open(text), undefined, 'another key');
  const at = text.lastIndexOf('.') - 5;
  const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
  assert.equal(await one.open(changed), undefined, 'changed');
  assert.equal(await one.open(''), undefined);
  now += 61_000;
  assert.equal(await one.open(text), undefined, 'over');
});
