/** The log's side of C2SP tlog-witness: asks one witness to sign a checkpoint, from the size that it saw last. */
import { cosignatures, proveConsistency, type WitnessKey, writeConsistency } from '@postern/schemas/tlog';
import { sha256 } from '../sha256.ts';
import type { LogTree } from '../tree.ts';

export type OutsideWitness = { readonly url: string; readonly key: WitnessKey };
export type Asked =
  | { readonly outcome: 'signed'; readonly lines: readonly string[] }
  /** It has signed something that this log has not grown from: a fork, or a log that was set back. */
  | { readonly outcome: 'contradicted'; readonly why: string }
  | { readonly outcome: 'failed'; readonly why: string };

const timeoutMs = 10_000;
const answerBytesMax = 65_536;

/** Never rejects. `seen` is the size that the witness saw last, where that is known; it is moved on here. */
export const witnessAsker = ({ url, key }: OutsideWitness, tree: LogTree) => {
  let seen = 0;
  const send = async (size: number, note: string, signal: AbortSignal) => {
    const path = await proveConsistency(sha256, tree.subtree, seen, size);
    const response = await fetch(`${url.replace(/\/$/, '')}/add-checkpoint`, {
      method: 'POST',
      body: writeConsistency({ oldSize: seen, path, checkpoint: note }),
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    return { status: response.status, text: (await response.text()).slice(0, answerBytesMax) };
  };
  return async (size: number, note: string, signal: AbortSignal): Promise<Asked> => {
    try {
      await tree.grow(size);
      seen = Math.min(seen, size);
      let answer = await send(size, note, signal);
      if (answer.status === 409) {
        const told = /^(0|[1-9]\d{0,14})\n?$/.exec(answer.text)?.[1];
        if (told === undefined) return { outcome: 'failed', why: 'it answers 409 without a size' };
        if (Number(told) > size)
          return { outcome: 'contradicted', why: `it has signed ${told} entries, the log now has ${size}` };
        if (Number(told) === seen)
          return { outcome: 'contradicted', why: `it has signed another root for the same ${size} entries` };
        seen = Number(told);
        answer = await send(size, note, signal);
      }
      if (answer.status === 422)
        return { outcome: 'contradicted', why: `the ${seen} entries that it has signed are not the first of this log` };
      if (answer.status === 409) return { outcome: 'failed', why: 'its size has changed meanwhile' };
      if (answer.status !== 200)
        return { outcome: 'failed', why: `it answers ${answer.status}: ${answer.text.slice(0, 200).trim()}` };
      const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
      const lines = (await cosignatures(`${text}\n${answer.text}`, [key])).map(({ line }) => line);
      if (lines.length === 0) return { outcome: 'failed', why: 'its answer holds no signature of its key' };
      seen = size;
      return { outcome: 'signed', lines };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return { outcome: 'failed', why: cause instanceof Error ? cause.message : String(cause) };
    }
  };
};
