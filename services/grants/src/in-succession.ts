/**
 * Many orders, each judged on what those before it leave, and appended together behind the head they were judged on: a thousand cost
 * one wait for the log, and what becomes of each is what would have become of it alone. Lost to another writer, all are judged anew.
 */
import { isProblem, type LoggedFact, Problem } from '@postern/schemas';
import { attributes, continuing, spans } from '@postern/telemetry';
import { append, attemptsMax, type CommandsDeps, type Done, type Order } from './commands.ts';
import { judging, type Ruling } from './judging.ts';

export type Step = {
  /** In this order; where one is refused those behind it are not tried. */
  readonly orders: readonly Order[];
  /** What is wrong behind them: as a refusal. */
  readonly trouble?: Problem | undefined;
  /** What is carried out where this step is refused, in the same place. */
  readonly instead: (problem: Problem) => Order;
};

export type Stepped =
  | { readonly outcome: 'done'; readonly done: readonly Done[] }
  | { readonly outcome: 'refused'; readonly problem: Problem; readonly instead: Done };

export type SuccessionOptions = {
  /** Called before anything is appended that says so; again for a step that is judged again. */
  readonly refused: (steps: readonly { readonly step: number; readonly problem: Problem }[]) => Promise<void>;
  /** Whether the facts of what was carried out before are wanted: they may have to be read from the log. */
  readonly recall: boolean;
};

/** Rejects where the log does; what was appended until then is known when the same orders come again. */
export type InSuccession = (steps: readonly Step[], options: SuccessionOptions) => Promise<readonly Stepped[]>;

/** From here a round goes on. */
type Place = { readonly step: number; readonly order: number };
type Judged = {
  readonly step: number;
  readonly order: Order;
  readonly ruling: Ruling;
  /** The order stands in the place of the step, for this reason. */
  readonly insteadFor?: Problem;
};
type Round = { readonly judged: readonly (Judged & { readonly done: Done })[]; readonly next: Place };

export const successionHandler = (deps: CommandsDeps): InSuccession => {
  const { turns, telemetry } = deps;
  return async (steps, options) => {
    const done: Done[][] = steps.map(() => []);
    const refusals = new Map<number, Stepped>();
    let at: Place = { step: 0, order: 0 };
    for (let lostRounds = 0; at.step < steps.length; ) {
      if (lostRounds >= attemptsMax)
        throw new Problem('grants/contended', { detail: `lost ${attemptsMax} rounds`, fix: 'Send it again.' });
      const carriers = steps.slice(at.step).flatMap(({ orders }) => orders.map(({ carrier }) => carrier));
      const round = await telemetry.span(
        spans.command,
        { attributes: { [attributes.batchSize]: steps.length - at.step }, ...continuing(carriers) },
        // Others may have a turn between two appends.
        () => turns(() => carryOutRound(steps, at, deps, options)),
      );
      lostRounds = round === 'lost' ? lostRounds + 1 : 0;
      if (round === 'lost') continue;
      for (const each of round.judged)
        if (each.insteadFor === undefined) done[each.step]?.push(each.done);
        else refusals.set(each.step, { outcome: 'refused', problem: each.insteadFor, instead: each.done });
      at = round.next;
    }
    return done.map((each, step) => refusals.get(step) ?? { outcome: 'done', done: each });
  };
};

const carryOutRound = async (
  steps: readonly Step[],
  start: Place,
  deps: CommandsDeps,
  { refused, recall }: SuccessionOptions,
): Promise<Round | 'lost'> => {
  const { facts: log, state } = deps;
  const trouble = state.notReady();
  if (trouble !== undefined) throw new Problem('event-log/unreachable', { detail: trouble });
  const head = state.organisation.sequence;
  const { judged, drafts, next } = judge(steps, start, deps);
  const aside = judged.flatMap(({ step, insteadFor }) =>
    insteadFor === undefined ? [] : [{ step, problem: insteadFor }],
  );
  if (aside.length > 0) await refused(aside);
  let entries: readonly LoggedFact[] = [];
  if (drafts.length > 0) {
    const appended = await append(log, head, drafts);
    await state.reached(appended.head);
    if (appended.outcome !== 'appended') return 'lost';
    entries = appended.entries;
  }
  const dones: Done[] = [];
  for (const { order, ruling } of judged)
    switch (ruling.outcome) {
      case 'facts': {
        const own = entries.slice(ruling.from, ruling.until);
        const facts = own.flatMap(({ fact }) => fact ?? []);
        dones.push({ sequence: own.at(-1)?.sequence ?? head, facts, repeated: false });
        break;
      }
      case 'nothing':
        dones.push({ sequence: ruling.at, facts: [], repeated: false });
        break;
      case 'repeated': {
        const earlier = ruling.of === undefined ? undefined : dones[ruling.of];
        if (earlier !== undefined) dones.push({ ...earlier, repeated: true });
        else dones.push(await before(order, deps, recall));
      }
    }
  return { next, judged: judged.flatMap((each, index) => ({ ...each, done: dones[index] as Done })) };
};

/** How it was answered the first time, appends ago. */
const before = async ({ inbound }: Order, { state }: CommandsDeps, recall: boolean): Promise<Done> => {
  const { source = '', id = '' } = inbound ?? {};
  const sequence = state.handled(source, id)?.last ?? state.organisation.sequence;
  return { sequence, facts: recall ? await state.recall(source, id) : [], repeated: true };
};

/** As many as one append takes. */
const judge = (steps: readonly Step[], start: Place, deps: CommandsDeps) => {
  const rules = judging(deps);
  const judged: Judged[] = [];
  for (let step = start.step, at = start.order; step < steps.length; step++, at = 0) {
    const { orders, trouble, instead } = steps[step] as Step;
    let problem: Problem | undefined;
    for (; at < orders.length; at++) {
      const order = orders[at] as Order;
      const ruling = rules.rule(order, judged.length);
      if (ruling === 'full') return { judged, drafts: rules.drafts, next: { step, order: at } };
      problem = isProblem(ruling) ? ruling : undefined;
      if (isProblem(ruling)) break;
      judged.push({ step, order, ruling });
    }
    problem ??= trouble;
    if (problem === undefined) continue;
    const order = instead(problem);
    const ruling = rules.rule(order, judged.length);
    if (ruling === 'full') return { judged, drafts: rules.drafts, next: { step, order: at } };
    if (isProblem(ruling)) throw ruling;
    judged.push({ step, order, ruling, insteadFor: problem });
  }
  return { judged, drafts: rules.drafts, next: { step: steps.length, order: 0 } };
};
