/** What is still there when a signal ends this process goes with it: nothing else would remove it (testcontainers' own reaper may be off). */
type Remove = () => Promise<unknown>;

const there = new Set<Remove>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

let ending = false;
const removeAll = (): void => {
  if (ending) return;
  ending = true;
  void inReverse().finally(() => process.exit(1));
};
/** A network can go only behind whatever joined it. */
const inReverse = async (): Promise<void> => {
  for (const remove of [...there].toReversed()) await remove().catch(() => {});
};

/** Answers with the way to say that it is gone. */
export const removedWithProcess = (remove: Remove): (() => void) => {
  if (there.size === 0) for (const signal of signals) process.on(signal, removeAll);
  there.add(remove);
  return () => {
    there.delete(remove);
    if (there.size === 0) for (const signal of signals) process.off(signal, removeAll);
  };
};
