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
  /** Takes the fresh configuration in, all of it or nothing; what it rejects with is logged. */
  readonly onReload: (fresh: LoadedConfig) => Promise<void>;
};

/** Editors write a file in several steps; this long after the last one it is read. */
const settleMs = 200;

export const reloading = ({ file, log, onReload }: ReloadingDeps): Service => {
  let watcher: FSWatcher | undefined;
  let last: Promise<void> = Promise.resolve();
  let generation = 0;

  const reload = (why: string): void => {
    const mine = ++generation;
    last = last.then(async () => {
      await setTimeout(settleMs);
      if (mine !== generation) return;
      try {
        await onReload(loadConfig(file, process.env));
        log.info({ file, why }, 'the configuration was taken in anew');
      } catch (error) {
        log.error({ err: error, file, why }, 'the configuration cannot be used; the one before stays');
      }
    });
  };
  const onHangup = (): void => reload('SIGHUP');

  return {
    name: 'reloading',
    notReady: () => [],
    start: async () => {
      process.on('SIGHUP', onHangup);
      const folder = dirname(resolve(file));
      const watched = new Set([basename(file)]);
      // The folder, not the file: editors and config maps replace it. Model files beside it count too.
      watcher = watch(folder, (_event, name) => {
        if (name !== null && (watched.has(name) || /\.(ya?ml|zed|json)$/.test(name))) reload(`${name} changed`);
      });
    },
    stop: async () => {
      process.off('SIGHUP', onHangup);
      watcher?.close();
      generation++;
      await last;
    },
  };
};
