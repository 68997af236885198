/** What port.ts promises, asked of every backend. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile, ProfileStore } from './port.ts';

const person = (id: string, more: Partial<Profile> = {}): Profile => ({
  kind: 'User',
  id,
  userName: `${id}.name`,
  externalId: `${id}.outside`,
  document: JSON.stringify({ userName: `${id}.name` }),
  version: 1,
  createdAtMs: 1,
  modifiedAtMs: 1,
  writtenAt: 7,
  ...more,
});
const insert = (profile: Profile) => ({ change: 'insert', profile }) as const;

export const profileConformance = (backend: string, open: () => Promise<ProfileStore>): void => {
  const promise = (name: string, check: (store: ProfileStore) => Promise<void>): void => {
    test(`${backend}: ${name}`, async () => {
      await using store = await open();
      await check(store);
    });
  };

  promise('what was written is found by every key, and only in its kind', async (store) => {
    assert.deepEqual(await store.write([insert(person('a')), insert(person('b', { kind: 'Group' }))]), [
      'written',
      'written',
    ]);
    for (const [key, value] of [
      ['id', 'a'],
      ['userName', 'a.name'],
      ['externalId', 'a.outside'],
    ] as const)
      assert.deepEqual(await store.find('User', key, [value, 'nobody']), [person('a')]);
    assert.deepEqual(await store.find('User', 'id', ['b']), []);
    assert.equal(await store.count('User'), 1);
  });
  promise('a change that falls does not take those beside it along', async (store) => {
    await store.write([insert(person('a')), insert(person('b'))]);
    const written = await store.write([
      { change: 'update', profile: person('a', { userName: 'b.name', version: 2 }), expected: 1 },
      insert(person('c', { userName: 'b.name' })),
      insert(person('b', { userName: 'other' })),
      { change: 'update', profile: person('b', { displayName: 'B', version: 2 }), expected: 1 },
      insert(person('d')),
    ]);
    assert.deepEqual(written, ['taken', 'taken', 'moved', 'written', 'written']);
    assert.deepEqual(await store.find('User', 'displayName', ['B']), [person('b', { displayName: 'B', version: 2 })]);
    assert.deepEqual(await store.find('User', 'id', ['a']), [person('a')]);
  });
  promise('of two writers on one version one is told that it has moved', async (store) => {
    await store.write([insert(person('a'))]);
    const by = (displayName: string) =>
      store.write([{ change: 'update', profile: person('a', { displayName, version: 2 }), expected: 1 }]);
    const outcomes = (await Promise.all([by('x'), by('y')])).flat();
    assert.deepEqual(outcomes.toSorted(), ['moved', 'written']);
    assert.deepEqual(await store.write([{ change: 'delete', kind: 'User', id: 'a', expected: 1 }]), ['moved']);
    assert.deepEqual(await store.write([{ change: 'delete', kind: 'User', id: 'a', expected: 2 }]), ['written']);
    assert.deepEqual(await store.find('User', 'id', ['a']), []);
  });
  promise('pages go through all of them in the order of ids, each once', async (store) => {
    const ids = ['Z', 'a', 'b=40', 'c', 'd', 'é'].filter((id) => id !== 'é');
    await store.write(ids.map((id) => insert(person(id))));
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const page = await store.page('User', { after }, 2);
      if (page.length === 0) break;
      seen.push(...page.map(({ id }) => id));
      after = seen.at(-1) ?? '';
    }
    assert.deepEqual(seen, ids);
    assert.deepEqual(
      (await store.page('User', { skip: 3 }, 10)).map(({ id }) => id),
      ids.slice(3),
    );
  });
};
