/** What foreign events mean: the rules of feeds.yaml, and the native events that they make. */
import { Problem } from '@postern/schemas';
import { z } from 'zod';
import { InboundEvent } from '../inbound/cloud-event.ts';
import { evaluator } from './evaluator.ts';
import type { FeedRule } from './rules.ts';

export type Mappings = AsyncDisposable & {
  /** The rule that reads CloudEvents of this type. */
  readonly forType: (type: string) => FeedRule | undefined;
  /** Throws `grants/unknown-mapping`. */
  readonly named: (name: string) => FeedRule;
  /** Native events, none where the rule makes nothing of it. Rejects with `grants/bad-mapping`, naming the line. */
  readonly map: (rule: FeedRule, input: unknown, outer?: InboundEvent) => Promise<InboundEvent[]>;
  readonly configure: (rules: readonly FeedRule[]) => void;
};

const eventsMax = 1_000;

export const mappings = (initial: readonly FeedRule[]): Mappings => {
  const evaluation = evaluator();
  let rules = initial;
  return {
    configure: (changed) => {
      rules = changed;
    },
    forType: (type) =>
      rules.find((rule) => rule.types.includes(type)) ??
      longest(rules, (written) => written.endsWith('.*') && type.startsWith(written.slice(0, -1))),
    named: (name) => {
      const found = rules.find((rule) => rule.name === name);
      if (found !== undefined) return found;
      throw new Problem('grants/unknown-mapping', {
        detail: `there is no rule ${name}`,
        fix: `There are: ${rules.map((rule) => rule.name).join(', ') || 'none; name a file with feedRules in postern.yaml'}.`,
      });
    },
    map: async (rule, input, outer) => {
      const evaluated = await evaluation.evaluate(rule.events, input, rule.timeoutMs);
      if (evaluated.outcome === 'failed') throw badMapping(rule, evaluated.why, evaluated.position);
      const made = evaluated.value === null || evaluated.value === undefined ? [] : [evaluated.value].flat();
      if (made.length > eventsMax)
        throw badMapping(rule, `it makes ${made.length} events; at most ${eventsMax} are taken`);
      return made.map((each, index) => nativeEvent(rule, each, outer, made.length === 1 ? '' : `/${index + 1}`));
    },
    [Symbol.asyncDispose]: () => evaluation[Symbol.asyncDispose](),
  };
};

const longest = (rules: readonly FeedRule[], fits: (type: string) => boolean): FeedRule | undefined =>
  rules
    .flatMap((rule) => rule.types.filter(fits).map((type) => ({ rule, length: type.length })))
    .sort((a, b) => b.length - a.length)[0]?.rule;

const Made = z.strictObject({ ...InboundEvent.partial({ id: true, source: true, specversion: true }).shape });

/** The id and source of the event that was read stand for what is left out; where several were made of one, each gets a number. */
const nativeEvent = (rule: FeedRule, made: unknown, outer: InboundEvent | undefined, suffix: string): InboundEvent => {
  const given = typeof made === 'object' && made !== null && !Array.isArray(made) ? withoutNulls(made) : made;
  const filled =
    typeof given === 'object'
      ? {
          specversion: '1.0',
          ...(outer !== undefined && { id: `${outer.id}${suffix}` }),
          ...((rule.source ?? outer?.source) !== undefined && { source: rule.source ?? outer?.source }),
          ...(outer?.time !== undefined && { time: outer.time }),
          ...given,
        }
      : given;
  const parsed = Made.pipe(InboundEvent).safeParse(filled);
  if (!parsed.success)
    throw badMapping(
      rule,
      parsed.error.issues
        .map(({ path, message }) => `${['event', ...path].map(String).join('.')}: ${message}`)
        .join('; '),
    );
  if (!parsed.data.type.startsWith('postern.'))
    throw badMapping(rule, `it makes an event of type ${parsed.data.type}, which is none of ours`);
  return parsed.data;
};

const withoutNulls = (members: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));

const badMapping = (rule: FeedRule, why: string, position = 0): Problem =>
  new Problem('grants/bad-mapping', {
    detail: `${rule.file}:${rule.lineAt(position)}: ${rule.name}: ${why}`,
    fix: 'Correct the rule, then replay what lies in quarantine.',
  });
