/** assertions.yaml, read: every sentence with its line, every mistake at once. */
import { type FileMistake, readYamlFile } from '@postern/runtime';
import { z } from 'zod';
import type { Finding } from '../report/finding.ts';
import { type Gain, readGain } from './gains.ts';
import { type Given, readGiven } from './given.ts';
import type { Placed, Read } from './reading.ts';
import { type Assertion, readAssertion } from './sentences.ts';

const Sentences = z.array(z.string({ error: 'write a sentence, in quotes where it holds ": " or " #"' }));
const Instant = z.iso.datetime({ offset: true, error: 'write an RFC 3339 instant, for instance 2026-11-24T09:00:00Z' });

export const AssertionsYaml = z.strictObject({
  /** When everything is asked and given; left out, now. */
  at: Instant.optional(),
  /** What is so in every scenario. */
  given: Sentences.default([]),
  assert: Sentences.default([]),
  /** Gains that are meant: a strict comparison fails on any other. */
  gains: Sentences.default([]),
  /** Each on its own: nothing given in one is so in another. */
  scenarios: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        at: Instant.optional(),
        given: Sentences.default([]),
        assert: Sentences.min(1),
      }),
    )
    .default([]),
});

export type Scenario = {
  readonly name: string | undefined;
  /** RFC 3339. */
  readonly at: string;
  readonly given: readonly Placed<Given>[];
  readonly assert: readonly Placed<Assertion>[];
};
export type AssertionsFile = {
  readonly scenarios: readonly Scenario[];
  readonly gains: readonly Placed<Gain>[];
  readonly mistakes: readonly Finding[];
};

/** `naming` is the place that names the file: where it is said that it cannot be read. */
export const readAssertions = (
  file: string,
  now: string,
  naming: { readonly file: string; readonly line: number },
): AssertionsFile => {
  const read = readYamlFile(file, AssertionsYaml);
  if (read.outcome === 'unreadable')
    return { scenarios: [], gains: [], mistakes: [toFinding({ ...naming, what: `${file}: ${read.why}` })] };
  if (read.outcome === 'mistaken') return { scenarios: [], gains: [], mistakes: read.mistakes.map(toFinding) };
  const mistakes: Finding[] = [];
  const { at = now, given, assert, gains, scenarios } = read.value;
  const placed = <Sentence>(
    texts: readonly string[],
    path: readonly PropertyKey[],
    understand: (text: string) => Read<Sentence>,
  ): Placed<Sentence>[] =>
    texts.flatMap((text, n) => {
      const place = { file, line: read.lineOf([...path, n]) };
      const understood = understand(text);
      if ('sentence' in understood) return [{ ...understood, text, ...place }];
      mistakes.push({ rule: 'assertion/syntax', level: 'error', ...place, ...understood });
      return [];
    });
  const always = placed(given, ['given'], readGiven);
  const top: Scenario = { name: undefined, at, given: always, assert: placed(assert, ['assert'], readAssertion) };
  const named = scenarios.map(
    (scenario, n): Scenario => ({
      name: scenario.name,
      at: scenario.at ?? at,
      given: [...always, ...placed(scenario.given, ['scenarios', n, 'given'], readGiven)],
      assert: placed(scenario.assert, ['scenarios', n, 'assert'], readAssertion),
    }),
  );
  return {
    scenarios: [...(top.assert.length > 0 || named.length === 0 ? [top] : []), ...named],
    gains: placed(gains, ['gains'], readGain),
    mistakes,
  };
};

const toFinding = (mistake: FileMistake): Finding => ({ rule: 'assertion/syntax', level: 'error', ...mistake });
