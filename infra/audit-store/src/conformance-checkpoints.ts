/** What the store promises of checkpoints: every one that was signed is kept, in its order. */
import assert from 'node:assert/strict';
import { isProblem } from '@postern/schemas';
import { type Cases, grow, numbered, sha256 } from './conformance-entries.ts';
import type { AuditStore } from './port.ts';

const sealed = (size: number, note = `note ${size}\n`) => ({
  size,
  root: sha256(Buffer.from(`root ${size}`)),
  note,
  at: '2030-01-01T00:00:00.000Z',
});
const kept = async (store: AuditStore, after = 0, limit = 100) =>
  (await store.reader.checkpoints('facts', after, limit)).map(({ number, size, note, witnesses }) => [
    number,
    size,
    note,
    witnesses,
  ]);

export const checkpointCases: Cases = {
  'every checkpoint is kept in the order of signing, the same one twice is kept once': async ({ open }) => {
    await using store = await open();
    await grow(store, 'facts', numbered(1, 5));
    for (const size of [1, 3, 3, 5]) await store.writer.seal('facts', sealed(size));
    // Another key signs the same tree as well.
    await store.writer.seal('facts', sealed(5, 'note 5, signed twice\n'));
    assert.deepEqual(await kept(store), [
      [1, 1, 'note 1\n', 0],
      [2, 3, 'note 3\n', 0],
      [3, 5, 'note 5\n', 0],
      [4, 5, 'note 5, signed twice\n', 0],
    ]);
    assert.deepEqual(await kept(store, 1, 2), [
      [2, 3, 'note 3\n', 0],
      [3, 5, 'note 5\n', 0],
    ]);
    const [first] = await store.reader.checkpoints('facts', 0, 1);
    assert.deepEqual(first, { ...sealed(1), number: 1, witnesses: 0 });
    assert.deepEqual(await store.reader.checkpoints('decisions', 0, 9), []);
    assert.equal((await store.reader.checkpointWith('facts', { size: 5 }))?.number, 4);
    assert.equal((await store.reader.checkpointWith('facts', {}))?.number, 4);
    assert.equal(await store.reader.checkpointWith('facts', { size: 2 }), undefined);
    await assert.rejects(store.writer.seal('facts', sealed(4)), (error) => isProblem(error, 'audit/not-at-head'));
    assert.equal((await kept(store)).length, 4);
  },

  'witnesses sign what was sealed, also when the log has grown since, and nothing else': async ({ open }) => {
    await using store = await open();
    await grow(store, 'facts', numbered(1, 5));
    await store.writer.seal('facts', sealed(3));
    await store.writer.cosign('facts', sealed(3, 'note 3, witnessed\n'), 1);
    assert.equal((await store.reader.checkpoint('facts'))?.note, 'note 3, witnessed\n');
    await store.writer.seal('facts', sealed(5));
    await store.writer.cosign('facts', sealed(3, 'note 3, witnessed by two\n'), 2);
    assert.equal((await store.reader.checkpoint('facts'))?.note, 'note 5\n');
    assert.deepEqual(
      (await kept(store)).map(([number, , , witnesses]) => [number, witnesses]),
      [
        [1, 0],
        [2, 1],
        [3, 0],
        [4, 2],
      ],
    );
    assert.equal((await store.reader.checkpointWith('facts', { witnesses: 1 }))?.number, 4);
    assert.equal((await store.reader.checkpointWith('facts', { witnesses: 2, size: 3 }))?.number, 4);
    assert.equal(await store.reader.checkpointWith('facts', { witnesses: 3 }), undefined);
    const never = (error: unknown) => isProblem(error, 'audit/no-such-record');
    await assert.rejects(store.writer.cosign('facts', sealed(4), 1), never);
    await assert.rejects(store.writer.cosign('facts', { ...sealed(5), root: sha256(Buffer.from('x')) }, 1), never);
    await assert.rejects(store.writer.cosign('decisions', sealed(3), 1), never);
  },
};
