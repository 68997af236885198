/** Rows that come one by one, oldest first, handed out entry by entry. */
import { findingsMax, type RowFinding } from './compare-rows.ts';
import type { ServedRow } from './row.ts';

export type RowsByEntry = {
  /** The rows of the entry at `index`; indexes are asked for in order, from 0. */
  readonly at: (index: number) => Promise<readonly ServedRow[]>;
  /** Whatever belongs to no entry, once all have been asked for. */
  readonly rest: () => Promise<readonly RowFinding[]>;
  readonly close: () => Promise<void>;
};

/** Rows of entries from `size` on have not been signed yet, and are not judged. */
export const rowsByEntry = (served: AsyncIterable<ServedRow>, size: number): RowsByEntry => {
  const iterator = served[Symbol.asyncIterator]();
  const strays: RowFinding[] = [];
  let ahead: ServedRow | undefined;
  let ended = false;
  const peek = async (): Promise<ServedRow | undefined> => {
    if (ahead !== undefined || ended) return ahead;
    const { value, done } = await iterator.next();
    if (done === true) ended = true;
    else ahead = value;
    return ahead;
  };
  const stray = ({ index, id }: ServedRow): void => {
    if (strays.length < findingsMax) strays.push({ index, id: String(id), found: 'surplus' });
  };
  return {
    at: async (index) => {
      const rows: ServedRow[] = [];
      for (let row = await peek(); row !== undefined && !(row.index > index); row = await peek()) {
        if (row.index === index) rows.push(row);
        else stray(row);
        ahead = undefined;
      }
      return rows;
    },
    rest: async () => {
      for (let row = await peek(); row !== undefined; row = await peek()) {
        if (!(row.index >= size)) stray(row);
        ahead = undefined;
      }
      return strays;
    },
    close: async () => void (await iterator.return?.()),
  };
};
