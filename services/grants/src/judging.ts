/** Orders judged one behind the other on an organisation that goes on from the one at the head, as if each had been appended. */
import {
  appendBytesMax,
  type Fact,
  type FactDraft,
  isProblem,
  type LoggedFact,
  Organisation,
  type Problem,
  type Sequence,
  sealAppend,
} from '@postern/schemas';
import { type CommandsDeps, circumstancesOf, conflictOf, correlationOf, noted, type Order } from './commands.ts';
import { decide } from './decide/decide.ts';

export type Ruling =
  /** Of the drafts, which are its own. */
  | { readonly outcome: 'facts'; readonly from: number; readonly until: number }
  | { readonly outcome: 'nothing'; readonly at: Sequence }
  /** Handled before: `of` an order of this round, or in the log. */
  | { readonly outcome: 'repeated'; readonly of?: number };

export type Judging = {
  /** `index` is how later orders name this one. `full`: the drafts so far have to be appended first. */
  readonly rule: (order: Order, index: number) => Ruling | Problem | 'full';
  readonly drafts: readonly FactDraft[];
};

export const judging = ({ state, clock, telemetry }: CommandsDeps): Judging => {
  const organisation = new Organisation(state.organisation);
  const drafts: FactDraft[] = [];
  const seen = new Map<string, { readonly digest: string; readonly of: number }>();
  let bytes = 0;

  const rule: Judging['rule'] = (order, index) => {
    const { inbound } = order;
    const key = inbound && JSON.stringify([inbound.source, inbound.id]);
    if (inbound !== undefined && key !== undefined) {
      const inLog = state.handled(inbound.source, inbound.id);
      const inRound = seen.get(key);
      const earlier = inLog ?? inRound;
      if (earlier !== undefined && earlier.digest !== inbound.digest) return conflictOf(inbound, inLog?.sequence);
      if (earlier !== undefined) return { outcome: 'repeated', ...(inRound !== undefined && { of: inRound.of }) };
    }
    const circumstances = circumstancesOf(order, correlationOf(order, clock), { clock, telemetry });
    const decided = noted(decide(order.command, organisation, circumstances), order, circumstances);
    if (decided.outcome === 'refused') return decided.problem;
    if (decided.outcome === 'nothing') return { outcome: 'nothing', at: organisation.sequence };
    let sealed: LoggedFact[];
    try {
      sealed = sealAppend(organisation.sequence, decided.facts);
    } catch (error) {
      // One that is too large by itself falls alone.
      if (isProblem(error, 'grants/fact-too-large')) return error;
      throw error;
    }
    const size = sealed.reduce((sum, entry) => sum + entry.bytes.byteLength, 0);
    if (bytes + size > appendBytesMax && drafts.length > 0) return 'full';
    bytes += size;
    for (const entry of sealed) organisation.apply(entry as LoggedFact & { fact: Fact });
    const from = drafts.length;
    drafts.push(...decided.facts);
    if (inbound !== undefined && key !== undefined) seen.set(key, { digest: inbound.digest, of: index });
    return { outcome: 'facts', from, until: drafts.length };
  };
  return { rule, drafts };
};
