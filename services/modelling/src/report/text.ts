/** For a terminal: every finding a line, `file:line: what: how to fix`, then what was looked at. */
import type { CheckReport } from '../check.ts';
import type { CoverageOf } from '../coverage/coverage.ts';
import { type Finding, type Rule, rules } from './finding.ts';

/** `shown` turns a file's path into what the reader knows it by. */
export const toText = (report: CheckReport, shown: (file: string) => string): string => {
  const { findings, counts, assertions, coverage, comparison, use, skipped } = report;
  const { told, more } = notTooMany(findings);
  const places = told.map(({ file, line }) => `${shown(file)}:${line}:`);
  const width = Math.min(60, Math.max(0, ...places.map((place) => place.length)));
  const lines = told.map((finding, n) => `${(places[n] ?? '').padEnd(width)} ${findingText(finding)}`);
  for (const [rule, count] of more)
    lines.push(`${''.padEnd(width)} and ${count} more: ${rules[rule]} (--format json lists them)`);
  const of = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const [errors, warnings] = [of('error'), of('warning')];
  if (lines.length > 0) lines.push('');
  lines.push(
    `${shown(report.config)}: ${many(counts.services, 'service')}, ${many(counts.endpoints, 'endpoint')}, ${many(counts.roles, 'role')}, ${many(counts.definitions, 'definition')}`,
  );
  if (assertions.length > 0) {
    const failed = assertions.filter(({ failure }) => failure !== undefined).length;
    lines.push(`assertions: ${assertions.length - failed} hold, ${failed} ${failed === 1 ? 'does' : 'do'} not`);
  }
  if (coverage !== undefined) {
    const parts = [
      part('roles', coverage.roles),
      part('routes', coverage.routes),
      part('relations', coverage.relations),
    ];
    lines.push(`coverage: ${coverage.percent} % (${parts.join(', ')})`);
    for (const name of ['roles', 'relations', 'routes'] as const) lines.push(...untouched(name, coverage[name]));
  }
  if (comparison !== undefined) {
    const { gains, loses, compared, pairs, asked } = comparison;
    const left =
      compared < pairs ? `; ${pairs - compared} were left out, because more than ${asked} questions are not asked` : '';
    lines.push(
      `compared: ${compared} of ${pairs} pairs of subject and target, with ${asked} questions to each model: ${gains.length} gains, ${loses.length} losses${left}`,
    );
  }
  if (use !== undefined) {
    const { source, calls, leftOut, from, until } = use;
    const period = from === undefined ? '' : ` from ${from} to ${until}`;
    lines.push(
      `use: all ${calls} calls that passed in the record of ${source}${period} (nothing sampled), ${leftOut} records that were no passed calls left out`,
    );
  }
  if (skipped !== undefined) lines.push(`not asked: ${skipped}`);
  lines.push(errors + warnings === 0 ? 'no mistakes found' : `${many(errors, 'error')}, ${many(warnings, 'warning')}`);
  return lines.join('\n');
};

const sameRuleMax = 10;

/** Errors all; of the warnings of one rule the first few: a thousand lines of one kind hide the one that matters. */
const notTooMany = (
  findings: readonly Finding[],
): { readonly told: readonly Finding[]; readonly more: ReadonlyMap<Rule, number> } => {
  const seen = new Map<Rule, number>();
  const more = new Map<Rule, number>();
  const told = findings.filter(({ rule, level }) => {
    if (level === 'error') return true;
    const before = seen.get(rule) ?? 0;
    seen.set(rule, before + 1);
    if (before < sameRuleMax) return true;
    more.set(rule, (more.get(rule) ?? 0) + 1);
    return false;
  });
  return { told, more };
};

export const findingText = ({ level, what, fix }: Finding): string =>
  `${level === 'error' ? '' : `${level}: `}${what}${fix === undefined ? '' : `: ${fix}`}`;

const many = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
const part = (name: string, { touched, total }: CoverageOf): string => `${name} ${touched} of ${total}`;

const namedMax = 10;
const untouched = (name: string, { untouched: names }: CoverageOf): string[] =>
  names.length === 0
    ? []
    : [
        `  no assertion touches these ${name}: ${names.slice(0, namedMax).join(', ')}${names.length > namedMax ? ` and ${names.length - namedMax} more` : ''}`,
      ];
