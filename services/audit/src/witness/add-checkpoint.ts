/** C2SP tlog-witness `add-checkpoint`: signs that a log has only grown since it was seen last, or says what is wrong. */
import type { Clock } from '@postern/runtime';
import {
  type Checkpoint,
  cosign,
  emptyRoot,
  equalBytes,
  type NoteKey,
  type NoteSigner,
  openCheckpoint,
  parseCheckpoint,
  parseConsistency,
  verifyConsistency,
} from '@postern/schemas/tlog';
import { sha256 } from '../sha256.ts';
import type { WitnessState } from './state.ts';

export type WitnessDeps = {
  readonly signer: NoteSigner;
  /** The keys of each log, by its origin. */
  readonly logs: ReadonlyMap<string, readonly NoteKey[]>;
  readonly state: WitnessState;
  readonly clock: Clock;
};
export type WitnessAnswer =
  | { readonly status: 200; readonly lines: string }
  /** The size that was signed last: where a proof has to begin. */
  | { readonly status: 409; readonly size: number }
  | { readonly status: 400 | 403 | 404 | 422; readonly why: string };

export const checkpointAdder = ({ signer, logs, state, clock }: WitnessDeps) => {
  /** One after the other for each log: between looking at the last size and keeping the next nobody comes in between. */
  const turns = new Map<string, Promise<unknown>>();
  const inTurn = <Result>(origin: string, work: () => Promise<Result>): Promise<Result> => {
    const mine = (turns.get(origin) ?? Promise.resolve()).then(work);
    turns.set(
      origin,
      mine.catch(() => {}),
    );
    return mine;
  };

  return async (body: string): Promise<WitnessAnswer> => {
    const request = parseConsistency(body);
    const claimed = request && parseCheckpoint(request.checkpoint);
    if (request === undefined || claimed === undefined) return { status: 400, why: 'the request is malformed' };
    const keys = logs.get(claimed.origin);
    if (keys === undefined) return { status: 404, why: `${claimed.origin} is not watched here` };
    const opened = await openCheckpoint(request.checkpoint, keys);
    if (opened.outcome === 'refused') return { status: 403, why: opened.why };
    const { checkpoint } = opened;
    const { oldSize, path } = request;
    if (oldSize > checkpoint.size) return { status: 400, why: 'the old size is larger than the checkpoint' };

    return inTurn(checkpoint.origin, async (): Promise<WitnessAnswer> => {
      const last = await lastSeen(state, checkpoint.origin);
      if (oldSize !== last.size) return { status: 409, size: last.size };
      if (oldSize === checkpoint.size && !equalBytes(last.root, checkpoint.root))
        return { status: 409, size: last.size };
      const grown = { oldSize, oldRoot: last.root, size: checkpoint.size, root: checkpoint.root, path };
      if (!(await verifyConsistency(grown, sha256)))
        return {
          status: 422,
          why: `what is signed now does not begin with the ${oldSize} entries that were signed before`,
        };
      await state.keep(checkpoint.origin, request.checkpoint);
      const text = request.checkpoint.slice(0, request.checkpoint.lastIndexOf('\n\n') + 1);
      return { status: 200, lines: await cosign(text, signer, Math.floor(clock.now() / 1_000)) };
    });
  };
};

/** A log that was never seen is empty. */
const lastSeen = async (state: WitnessState, origin: string): Promise<Pick<Checkpoint, 'size' | 'root'>> => {
  const note = await state.latest(origin);
  if (note === undefined) return { size: 0, root: emptyRoot() };
  const kept = parseCheckpoint(note);
  if (kept?.origin !== origin) throw new Error(`what was kept of ${origin} cannot be read`);
  return kept;
};
