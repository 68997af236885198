/** Wakes whoever waits for something new in one stream of this process: decisions come by the dozen a second, and no follower of facts has to hear of them. */
export type Bell = {
  readonly ring: () => void;
  /** Resolves at the next ring, after `timeoutMs`, or when `signal` aborts. */
  readonly wait: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
};

export const bell = (): Bell => {
  let sleepers = new Set<() => void>();
  return {
    ring: () => {
      const woken = sleepers;
      sleepers = new Set();
      for (const wake of woken) wake();
    },
    wait: (timeoutMs, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          sleepers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake);
        sleepers.add(wake);
      }),
  };
};
