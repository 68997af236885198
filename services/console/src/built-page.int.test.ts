import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isProblem } from '@postern/schemas';
import { builtPage } from './built-page.ts';

const folder = await mkdtemp(join(tmpdir(), 'postern-page-'));
after(() => rm(folder, { recursive: true, force: true }));
const log = { info: () => {} };

test('a build of other sources is never served: the page is built anew, and the old one is gone', async () => {
  const dist = join(folder, 'dist');
  const old = join(dist, '0123456789abcdef');
  await mkdir(join(old, 'assets'), { recursive: true });
  await writeFile(join(old, 'index.html'), 'an old page');
  const page = await builtPage(log, dist).file('');
  assert.match(page?.bytes.toString() ?? '', /<div id="root">/);
  assert.equal(existsSync(old), false);
  const [built = '', ...others] = await readdir(dist);
  assert.deepEqual(others, []);
  // The next start takes it as it is: nothing is built where nothing has changed.
  await writeFile(join(dist, built, 'index.html'), 'as it was built');
  const again = await builtPage(log, dist).file('anything/else');
  assert.equal(again?.bytes.toString(), 'as it was built');
  assert.equal(await builtPage(log, dist).file('assets/none.js'), undefined);
});

test('where there is no build and none can be made, that is said, and what to do', async () => {
  await writeFile(join(folder, 'a-file'), '');
  await assert.rejects(
    builtPage(log, join(folder, 'a-file/dist')).file(''),
    (error) => isProblem(error) && error.code === 'console/not-built' && error.fix?.includes('npm run build') === true,
  );
});
