import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeId } from '@postern/schemas';
import { legible } from '../page/src/names.ts';

test('a name in any script is read as it was written, and one that would turn the text around shows that', () => {
  for (const name of ['ann@example.com', 'محمد الأمين', '田中さくら', 'Zoë Ångström', '100%=x', '👩💻'])
    assert.equal(legible(`user:${encodeId(name)}`), `user:${name}`);
  assert.equal(legible(`user:${encodeId('abc\u202Ednatsrednu')}`), 'user:abc⟨U+202E⟩dnatsrednu');
  assert.equal(legible('user:=ZZ'), 'user:=ZZ');
  assert.equal(legible('user:=FF'), 'user:=FF');
});
