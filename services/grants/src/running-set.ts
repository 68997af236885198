/** Work that goes on for as long as it is configured, each piece under a name: what is new begins, what is gone or changed ends first. */
import { isDeepStrictEqual } from 'node:util';

export type RunningSet<Settings> = {
  readonly configure: (wanted: ReadonlyMap<string, Settings>) => void;
  /** Ends the piece and begins it again. */
  readonly restart: (name: string) => void;
  /** Resolves once everything has ended. */
  readonly stop: () => Promise<void>;
};

/** `work` resolves when its signal aborts, and does not reject. */
export const runningSet = <Settings>(
  work: (settings: Settings, signal: AbortSignal) => Promise<void>,
): RunningSet<Settings> => {
  type Piece = { readonly settings: Settings; readonly end: AbortController; readonly done: Promise<void> };
  const pieces = new Map<string, Piece>();
  /** The last piece under the name, ended or not: the next one waits for it. */
  const before = new Map<string, Promise<void>>();
  let stopped = false;
  const begin = (name: string, settings: Settings): void => {
    const end = new AbortController();
    const done = (before.get(name) ?? Promise.resolve()).then(() =>
      end.signal.aborted ? undefined : work(settings, end.signal),
    );
    before.set(name, done);
    pieces.set(name, { settings, end, done });
  };
  const finish = (name: string): void => {
    pieces.get(name)?.end.abort();
    pieces.delete(name);
  };
  return {
    configure: (wanted) => {
      if (stopped) return;
      for (const [name, { settings }] of pieces)
        if (!wanted.has(name) || !isDeepStrictEqual(wanted.get(name), settings)) finish(name);
      for (const [name, settings] of wanted) if (!pieces.has(name)) begin(name, settings);
    },
    restart: (name) => {
      const piece = pieces.get(name);
      if (piece === undefined || stopped) return;
      finish(name);
      begin(name, piece.settings);
    },
    stop: async () => {
      stopped = true;
      for (const name of [...pieces.keys()]) finish(name);
      await Promise.allSettled(before.values());
    },
  };
};
