/** What sealed/port.ts promises, asked of every backend. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SealedStore, SealedText } from './port.ts';

const text = (name: string, more: Partial<SealedText> = {}): SealedText => ({
  commitment: `sealed:${name}`,
  salt: new Uint8Array(32).fill(7),
  text: `text of ${name}`,
  subject: 'user:ann',
  author: 'user:boss',
  member: 'postern.grant.issued.v1/reason',
  sequence: 5,
  ...more,
});

/** `holds`: whether a text is anywhere in the files of the store's tables. */
export const sealedConformance = (
  backend: string,
  open: () => Promise<{ readonly store: SealedStore; readonly holds: (text: string) => Promise<boolean> }>,
): void => {
  const promise = (
    name: string,
    check: (store: SealedStore, holds: (text: string) => Promise<boolean>) => Promise<void>,
  ): void => {
    test(`${backend}: ${name}`, async () => {
      const { store, holds } = await open();
      try {
        await check(store, holds);
      } finally {
        await store[Symbol.asyncDispose]();
      }
    });
  };

  promise('what was kept is found by its commitment, by whom it is about and by who wrote it', async (store) => {
    const [one, two] = [
      text('one'),
      text('two', { subject: 'user:bob', sequence: 6, text: 'ünï "quoted"\n\u{1f600}' }),
    ];
    await store.keep([one, two]);
    assert.deepEqual(await store.find([two.commitment, 'sealed:none']), [two]);
    assert.deepEqual(await store.of({ subject: 'user:ann' }), [one]);
    assert.deepEqual(await store.of({ author: 'user:boss' }), [one, two]);
    assert.deepEqual(await store.of({ subject: 'user:nobody' }), []);
  });
  promise('of texts that are kept together all are kept or none', async (store) => {
    await store.keep([text('one')]);
    await assert.rejects(store.keep([text('two'), text('one')]));
    assert.deepEqual(await store.find(['sealed:two']), []);
  });
  promise('what is forgotten is gone, and nothing beside it', async (store) => {
    await store.keep([text('one'), text('two')]);
    await store.forget(['sealed:one', 'sealed:none']);
    assert.deepEqual(
      (await store.of({ subject: 'user:ann' })).map(({ commitment }) => commitment),
      ['sealed:two'],
    );
  });
  promise(
    'erasing takes what is about the subject in facts before, and leaves what is later or about others',
    async (store) => {
      await store.keep([
        text('old'),
        text('later', { sequence: 9 }),
        text('other', { subject: 'user:bob' }),
        text('written', { subject: 'user:bob', author: 'user:ann' }),
      ]);
      assert.equal(await store.erase('user:ann', 9), 1);
      assert.equal(await store.erase('user:ann', 9), 0);
      const left = await store.find(['sealed:old', 'sealed:later', 'sealed:other', 'sealed:written']);
      assert.deepEqual(left.map(({ commitment }) => commitment).sort(), [
        'sealed:later',
        'sealed:other',
        'sealed:written',
      ]);
    },
  );
  promise('what was erased is in none of the files any more, text and salt', async (store, holds) => {
    const salt = new Uint8Array(32).fill(0).map((_, at) => 0x41 + (at % 26));
    const gone = text('gone', { text: `Perdita Ulysses ${'and no more '.repeat(20)}`, salt });
    await store.keep([gone, text('stays', { subject: 'user:bob', text: 'Bob Remains' })]);
    assert.equal(await holds('Perdita Ulysses'), true);
    await store.erase('user:ann', 6);
    assert.equal(await holds('Perdita Ulysses'), false);
    assert.equal(await holds(Buffer.from(salt).toString('latin1')), false);
    assert.equal(await holds('Bob Remains'), true);
  });
};
