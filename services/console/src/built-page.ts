/**
 * The page's files, built where they are not there yet: a second or two, at the first look at the console and at no other start. A
 * build lies in a folder that is named after its sources, so one of other sources is never served.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Logger } from '@postern/runtime';
import { Problem } from '@postern/schemas';

export type PageFile = {
  readonly bytes: Buffer;
  /** The same by gzip. */
  readonly zipped: Buffer;
  readonly type: string;
  readonly lasting: boolean;
};
export type BuiltPage = {
  /** `''` and every path that is not below `assets/` is the page itself, which reads the rest of the address. */
  readonly file: (path: string) => Promise<PageFile | undefined>;
};

const home = join(dirname(fileURLToPath(import.meta.url)), '..');
const schemas = dirname(fileURLToPath(import.meta.resolve('@postern/schemas')));
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export const builtPage = (log: Pick<Logger, 'info'>, dist = join(home, 'dist')): BuiltPage => {
  let ready: Promise<ReadonlyMap<string, PageFile>> | undefined;
  const files = (): Promise<ReadonlyMap<string, PageFile>> => {
    const mine = ready ?? load(log, dist);
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

const load = async (log: Pick<Logger, 'info'>, dist: string): Promise<ReadonlyMap<string, PageFile>> => {
  const built = join(dist, await sourcesDigest());
  if (!existsSync(join(built, 'index.html'))) {
    log.info('the console is being built');
    try {
      await build(dist, built);
    } catch (cause) {
      throw new Problem('console/not-built', {
        detail: `${built} is not there, and could not be made: ${(cause as Error).message.slice(0, 500)}`,
        fix: 'Run npm run build -w services/console, where its folder can be written.',
        cause,
      });
    }
  }
  const files = new Map<string, PageFile>();
  files.set('index.html', {
    ...(await bothWays(join(built, 'index.html'))),
    type: 'text/html; charset=utf-8',
    lasting: false,
  });
  for (const name of await readdir(join(built, 'assets')))
    files.set(`assets/${name}`, {
      ...(await bothWays(join(built, 'assets', name))),
      type: types[extname(name)] ?? 'application/octet-stream',
      lasting: true,
    });
  return files;
};

const bothWays = async (path: string): Promise<Pick<PageFile, 'bytes' | 'zipped'>> => {
  const bytes = await readFile(path);
  return { bytes, zipped: await promisify(gzip)(bytes, { level: 9 }) };
};

/** Whole or not at all, whoever else builds at the same time. */
const build = async (dist: string, built: string): Promise<void> => {
  const draft = join(dist, `.building-${process.pid}`);
  await mkdir(dist, { recursive: true });
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
  try {
    await promisify(execFile)(process.execPath, [vite, 'build', 'page', '--outDir', draft], { cwd: home });
    await rename(draft, built).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(join(built, 'index.html'))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  for (const other of await readdir(dist))
    if (join(dist, other) !== built && !other.startsWith('.building-'))
      await rm(join(dist, other), { recursive: true, force: true });
};

/** All that goes into a build: the page, the language that it speaks, and which versions of which libraries. */
const sourcesDigest = async (): Promise<string> => {
  const digest = createHash('sha256');
  const lock = join(home, '../../package-lock.json');
  if (existsSync(lock)) digest.update(await readFile(lock));
  digest.update(await readFile(join(home, 'package.json')));
  for (const folder of [join(home, 'page'), schemas])
    for (const name of (await readdir(folder, { recursive: true })).sort())
      if (/\.(tsx?|css|html|json|svg)$/.test(name) && !/\.test\.ts$/.test(name))
        digest.update(`${name}\0`).update(await readFile(join(folder, name)));
  return digest.digest('hex').slice(0, 16);
};

/** `npm run build`: what the first look would do, beforehand. */
export const buildPage = async (log: Pick<Logger, 'info'>): Promise<void> => void (await builtPage(log).file(''));
