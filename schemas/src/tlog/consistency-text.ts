/**
 * A consistency proof with the checkpoint it leads to, as C2SP tlog-witness sends them to `add-checkpoint`: one file that proves,
 * to whoever kept the smaller tree's root, that the log has only grown.
 */
import { fromBase64, toBase64 } from './base64.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { type AnySha256, equalBytes, hashBytes, webSha256 } from './hash.ts';
import type { NoteKey } from './note.ts';
import { verifyConsistency } from './verify.ts';

export const proofLinesMax = 63;

export type ConsistencyText = {
  readonly oldSize: number;
  readonly path: readonly Uint8Array[];
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string;
};

export const writeConsistency = ({ oldSize, path, checkpoint }: ConsistencyText): string =>
  [`old ${oldSize}`, ...path.map(toBase64), '', checkpoint].join('\n');

/** Undefined for text that {@link writeConsistency} never writes. */
export const parseConsistency = (text: string): ConsistencyText | undefined => {
  const end = text.indexOf('\n\n');
  if (end < 0) return undefined;
  const [first, ...lines] = text.slice(0, end).split('\n');
  const [, decimal] = /^old (0|[1-9]\d{0,15})$/.exec(first ?? '') ?? [];
  const path = lines.map(fromBase64).filter((hash) => hash?.byteLength === hashBytes);
  if (decimal === undefined || lines.length > proofLinesMax || path.length !== lines.length) return undefined;
  const oldSize = Number(decimal);
  if (!Number.isSafeInteger(oldSize)) return undefined;
  return { oldSize, path: path.filter((hash) => hash !== undefined), checkpoint: text.slice(end + 2) };
};

export type JudgedConsistency =
  | { readonly outcome: 'grown'; readonly from: Checkpoint; readonly to: Checkpoint }
  /** Both are signed, and neither log is the other's beginning. */
  | { readonly outcome: 'fork'; readonly from: Checkpoint; readonly to: Checkpoint; readonly why: string }
  | { readonly outcome: 'rolled-back'; readonly from: Checkpoint; readonly to: Checkpoint; readonly why: string }
  | { readonly outcome: 'refused'; readonly why: string };

/** Has the log of the keys only grown since `earlier`, a checkpoint that somebody kept? `text` is what it says of itself now. */
export const verifyGrowth = async (
  text: string,
  earlier: string,
  keys: readonly NoteKey[],
  sha256: AnySha256 = webSha256,
): Promise<JudgedConsistency> => {
  const proof = parseConsistency(text);
  if (proof === undefined) return { outcome: 'refused', why: 'not a consistency proof' };
  const [before, after] = [await openCheckpoint(earlier, keys), await openCheckpoint(proof.checkpoint, keys)];
  if (before.outcome === 'refused') return { outcome: 'refused', why: `the checkpoint that was kept: ${before.why}` };
  if (after.outcome === 'refused') return { outcome: 'refused', why: `the newest checkpoint: ${after.why}` };
  return judgeGrowth(before.checkpoint, after.checkpoint, proof, sha256);
};

const judgeGrowth = async (
  from: Checkpoint,
  to: Checkpoint,
  { oldSize, path }: ConsistencyText,
  sha256: AnySha256,
): Promise<JudgedConsistency> => {
  if (from.origin !== to.origin) return { outcome: 'refused', why: `${to.origin} is another log than ${from.origin}` };
  if (to.size < from.size)
    return { outcome: 'rolled-back', from, to, why: `${from.size} entries were signed, now there are ${to.size}` };
  if (to.size === from.size)
    return equalBytes(from.root, to.root)
      ? { outcome: 'grown', from, to }
      : { outcome: 'fork', from, to, why: `two roots are signed for the same ${to.size} entries` };
  if (oldSize !== from.size) return { outcome: 'refused', why: `the proof begins at ${oldSize}, not at ${from.size}` };
  const grown = { oldSize, size: to.size, oldRoot: from.root, root: to.root, path };
  return (await verifyConsistency(grown, sha256))
    ? { outcome: 'grown', from, to }
    : {
        outcome: 'fork',
        from,
        to,
        why: `the ${to.size} entries do not begin with the ${from.size} that were signed before`,
      };
};
