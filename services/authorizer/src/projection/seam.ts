/**
 * Keeps decisions away from an engine that is between two models. A publication takes several writes (the schema, then relationships
 * in parts), and what lies between them is a model that nobody has reviewed: routes of one set under roles of another. Decisions under
 * way end first, new ones wait until the place that the writes lead to has been told.
 *
 * It spares this process's own questions the way to an engine that would not answer them: what keeps anybody from being answered between two
 * writes is the engine's own checkpoint (`Relationships.checkAt`).
 */
export type Seam = {
  /** Undefined where it stays closed for `waitMs`. */
  readonly asked: <Result>(work: () => Promise<Result>, waitMs: number) => Promise<Result | undefined>;
  /** Resolves when nobody is asking any more; nobody begins to until it is opened. */
  readonly close: () => Promise<void>;
  readonly open: () => void;
};

export const seam = (): Seam => {
  let asking = 0;
  let closed: PromiseWithResolvers<void> | undefined;
  let empty: (() => void) | undefined;

  const opened = async (waitMs: number): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs);
    });
    await Promise.race([closed?.promise, late]);
    clearTimeout(timer);
    return closed === undefined;
  };

  return {
    asked: async (work, waitMs) => {
      if (closed !== undefined && !(await opened(waitMs))) return undefined;
      asking++;
      try {
        return await work();
      } finally {
        asking--;
        if (asking === 0) empty?.();
      }
    },
    close: async () => {
      closed ??= Promise.withResolvers();
      if (asking === 0) return;
      await new Promise<void>((resolve) => {
        empty = resolve;
      });
      empty = undefined;
    },
    open: () => {
      const was = closed;
      closed = undefined;
      was?.resolve();
    },
  };
};
