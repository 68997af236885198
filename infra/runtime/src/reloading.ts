/** A changed configuration, taken in while running: on SIGHUP, or when the file is written. A broken one keeps the old, and says so. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type LoadedConfig, loadConfig } from './config/load.ts';
import type { Logger } from './logger.ts';
import type { Service } from './service.ts';

export type ReloadingDeps = {
  readonly file: string;
  readonly log: Logger;
  /** Further files whose change counts as one of the configuration: certificates and keys. */
  readonly beside?: (loaded: LoadedConfig) => readonly string[];
  /** Takes the fresh configuration in, all of it or nothing; what it rejects with is logged. */
  readonly onReload: (fresh: LoadedConfig) => Promise<void>;
};

/** Editors write a file in several steps; this long after the last one it is read. */
const settleMs = 200;

export const reloading = ({ file, log, beside = () => [], onReload }: ReloadingDeps): Service => {
  /** By folder: files are replaced, and a watcher of a file would go on watching the old one. */
  const watchers = new Map<string, FSWatcher>();
  const names = new Map<string, Set<string>>();
  let last: Promise<void> = Promise.resolve();
  let generation = 0;

  const reload = (why: string): void => {
    const mine = ++generation;
    last = last.then(async () => {
      await setTimeout(settleMs);
      if (mine !== generation) return;
      try {
        const fresh = loadConfig(file, process.env);
        watchBeside(fresh);
        await onReload(fresh);
        log.info({ file, why }, 'the configuration was taken in anew');
      } catch (error) {
        log.error({ err: error, file, why }, 'the configuration cannot be used; the one before stays');
      }
    });
  };
  const onHangup = (): void => reload('SIGHUP');
  const watchFolder = (folder: string, counts: (name: string) => boolean): void => {
    if (watchers.has(folder)) return;
    watchers.set(
      folder,
      watch(folder, (_event, name) => {
        if (name !== null && (counts(name) || names.get(folder)?.has(name))) reload(`${name} changed`);
      }).on('error', (error) => log.warn({ err: error, folder }, 'a folder cannot be watched; send SIGHUP')),
    );
  };
  const watchBeside = (loaded: LoadedConfig): void => {
    for (const path of beside(loaded)) {
      const folder = dirname(path);
      names.set(folder, (names.get(folder) ?? new Set()).add(basename(path)));
      try {
        // Mounted secrets are exchanged all at once, by a link of this name.
        watchFolder(folder, (name) => name === '..data');
      } catch (error) {
        log.warn({ err: error, folder }, 'a folder cannot be watched; send SIGHUP');
      }
    }
  };

  return {
    name: 'reloading',
    notReady: () => [],
    start: async () => {
      process.on('SIGHUP', onHangup);
      const folder = dirname(resolve(file));
      const watched = new Set([basename(file)]);
      // The folder, not the file: editors and config maps replace it. Model files beside it count too.
      watchFolder(folder, (name) => watched.has(name) || name === '..data' || /\.(ya?ml|zed|json)$/.test(name));
      watchBeside(loadConfig(file, process.env));
    },
    stop: async () => {
      process.off('SIGHUP', onHangup);
      for (const watcher of watchers.values()) watcher.close();
      generation++;
      await last;
    },
  };
};
