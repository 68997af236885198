/** What is still there when a signal ends this process goes with it: nothing else would remove it (testcontainers' own reaper may be off). */
type Remove = () => Promise<unknown>;

const there = new Set<Remove>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const removeAll = (): void => {
  void Promise.allSettled([...there].map((remove) => remove())).then(() => process.exit(1));
};

/** Answers with the way to say that it is gone. */
export const removedWithProcess = (remove: Remove): (() => void) => {
  if (there.size === 0) for (const signal of signals) process.once(signal, removeAll);
  there.add(remove);
  return () => {
    there.delete(remove);
    if (there.size === 0) for (const signal of signals) process.off(signal, removeAll);
  };
};
