/** The refusals that every backend words alike. */
import { Problem } from '@postern/schemas';
import { edgeLength, hashBytes } from '@postern/schemas/tlog';
import type { Append, LogName } from './port.ts';

export const entryBytesMax = 65_535;

/** Throws RangeError for an append that no log of this format can hold: a mistake of the caller, not of the data. */
export const checkAppend = ({ entries, edge, expected }: Append): void => {
  for (const { bytes, leaf } of entries) {
    if (bytes.byteLength > entryBytesMax) throw new RangeError(`an entry has at most ${entryBytesMax} bytes`);
    if (leaf.byteLength !== hashBytes) throw new RangeError(`a leaf hash has ${hashBytes} bytes`);
  }
  if (edge.length !== edgeLength(expected + entries.length))
    throw new RangeError('the edge is not that of the size after the append');
};

/** Throws `audit/no-such-record` for a range that the log does not hold. */
export const checkRange = (log: LogName, from: number, to: number, size: number): void => {
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to && to <= size))
    throw new Problem('audit/no-such-record', { detail: `${log} holds ${size} entries; asked for [${from}, ${to})` });
};

/** Throws `audit/record-altered` where the log's size promises more than its table holds. */
export const checkComplete = (log: LogName, indexes: readonly number[], from: number, to: number): void => {
  for (let index = from; index < to; index++)
    if (indexes[index - from] !== index)
      throw new Problem('audit/record-altered', { detail: `entry ${index} of ${log} is missing`, members: { index } });
};

/** Throws `audit/pruned` for a range of entries that begins below the least index. */
export const checkHeld = (log: LogName, from: number, to: number, before: number): void => {
  if (from < before && from < to)
    throw new Problem('audit/pruned', {
      detail: `${log} is pruned before ${before}; asked for [${from}, ${to})`,
      fix: 'The hashes are still there, so whoever kept the entry can prove it; the policy says how long entries are kept.',
      members: { log, before },
    });
};

export const notAtHead = (log: LogName, expected: number, size: number): Problem =>
  new Problem('audit/not-at-head', { detail: `${log} has ${size} entries, not ${expected}` });

export const neverSealed = (log: LogName, size: number): Problem =>
  new Problem('audit/no-such-record', {
    detail: `no checkpoint of ${log} with this root was sealed at ${size} entries`,
  });

/** An edge in one value: the hashes behind each other. */
export const packEdge = (edge: readonly Uint8Array[]): Uint8Array => Buffer.concat(edge);
export const unpackEdge = (packed: Uint8Array): Uint8Array[] =>
  Array.from({ length: packed.byteLength / hashBytes }, (_, at) =>
    Uint8Array.from(packed.subarray(at * hashBytes, (at + 1) * hashBytes)),
  );
