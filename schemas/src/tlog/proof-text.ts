/** C2SP tlog-proof: one file that proves, with nothing but the log's verifier key, that an entry stands in the log. */
import { fromBase64, toBase64 } from './base64.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { type AnySha256, hashBytes, leafHash, webSha256 } from './hash.ts';
import type { NoteKey } from './note.ts';
import { verifyInclusion } from './verify.ts';

const firstLine = 'c2sp.org/tlog-proof@v1';

export type ProofText = {
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string;
  /** Opaque and not authenticated. */
  readonly extra?: Uint8Array;
};

export const writeProof = ({ index, path, checkpoint, extra }: ProofText): string =>
  [
    firstLine,
    ...(extra === undefined ? [] : [`extra ${toBase64(extra)}`]),
    `index ${index}`,
    ...path.map(toBase64),
    '',
    checkpoint,
  ].join('\n');

/** Undefined for text that is no proof. */
export const parseProof = (text: string): ProofText | undefined => {
  const end = text.indexOf('\n\n');
  if (end < 0) return undefined;
  const [first, ...lines] = text.slice(0, end).split('\n');
  const extra = lines[0]?.startsWith('extra ') ? fromBase64(lines.shift()?.slice(6) ?? '') : null;
  const [, decimal] = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '') ?? [];
  const path = lines.map(fromBase64);
  if (first !== firstLine || extra === undefined || decimal === undefined) return undefined;
  if (!path.every((hash) => hash?.byteLength === hashBytes)) return undefined;
  return {
    index: Number(decimal),
    path: path.filter((hash) => hash !== undefined),
    checkpoint: text.slice(end + 2),
    ...(extra !== null && { extra }),
  };
};

export type JudgedProof =
  | { readonly outcome: 'proven'; readonly index: number; readonly checkpoint: Checkpoint }
  | { readonly outcome: 'refused'; readonly why: string };

/** Does `text` prove that `entry`, to the byte, stands in the log that the keys are of? */
export const verifyProof = async (
  text: string,
  entry: Uint8Array,
  keys: NoteKey | readonly NoteKey[],
  sha256: AnySha256 = webSha256,
): Promise<JudgedProof> => {
  const proof = parseProof(text);
  if (proof === undefined) return { outcome: 'refused', why: 'not a tlog proof' };
  const opened = await openCheckpoint(proof.checkpoint, keys);
  if (opened.outcome === 'refused') return opened;
  const { checkpoint } = opened;
  const inclusion = { ...proof, leaf: await leafHash(sha256, entry), size: checkpoint.size, root: checkpoint.root };
  return (await verifyInclusion(inclusion, sha256))
    ? { outcome: 'proven', index: proof.index, checkpoint }
    : { outcome: 'refused', why: `the entry does not stand at index ${proof.index} of the signed tree` };
};
