/** The page's files, built where they are not there yet: a second or two, at the first look at the console and at no other start. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Logger } from '@postern/runtime';

export type PageFile = { readonly bytes: Buffer; readonly type: string; readonly lasting: boolean };
export type BuiltPage = {
  /** `''` and every path that is not below `assets/` is the page itself, which reads the rest of the address. */
  readonly file: (path: string) => Promise<PageFile | undefined>;
};

const home = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(home, 'dist');
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export const builtPage = (log: Logger): BuiltPage => {
  let ready: Promise<ReadonlyMap<string, PageFile>> | undefined;
  const files = (): Promise<ReadonlyMap<string, PageFile>> => {
    const mine = ready ?? load(log);
    ready = mine;
    // What failed is tried again at the next look.
    mine.catch(() => {
      ready = undefined;
    });
    return mine;
  };
  return {
    file: async (path) => {
      const all = await files();
      return all.get(path) ?? (path.startsWith('assets/') ? undefined : all.get('index.html'));
    },
  };
};

const load = async (log: Logger): Promise<ReadonlyMap<string, PageFile>> => {
  if (!existsSync(join(dist, 'index.html'))) {
    log.info('the console is being built');
    const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
    await promisify(execFile)(process.execPath, [vite, 'build', 'page'], { cwd: home });
  }
  const files = new Map<string, PageFile>();
  files.set('index.html', {
    bytes: await readFile(join(dist, 'index.html')),
    type: 'text/html; charset=utf-8',
    lasting: false,
  });
  for (const name of await readdir(join(dist, 'assets')))
    files.set(`assets/${name}`, {
      bytes: await readFile(join(dist, 'assets', name)),
      type: types[extname(name)] ?? 'application/octet-stream',
      lasting: true,
    });
  return files;
};
