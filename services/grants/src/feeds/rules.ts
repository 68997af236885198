/** `feeds.yaml` as it is written: every rule with its place, and every mistake at once. */
import { readFileSync } from 'node:fs';
import { badConfig, type FileMistake, type LoadedConfig, readYamlFile, within } from '@postern/runtime';
import { FeedsYaml, type FeedRule as WrittenRule } from '@postern/schemas';
import jsonata from 'jsonata';

export type FeedRule = WrittenRule & {
  readonly name: string;
  readonly file: string;
  /** The line of the file that an offset of the expression stands in. */
  readonly lineAt: (offset: number) => number;
};

/** Throws `runtime/bad-config` with a line for each mistake. No file: no rules. */
export const loadFeedRules = ({ config, folder, file, lineOf }: LoadedConfig): readonly FeedRule[] => {
  const mistakes: FileMistake[] = [];
  const rules = config.feedRules === undefined ? [] : readFeedRules(within(folder, config.feedRules), mistakes);
  if (rules === undefined)
    mistakes.push({ file, line: lineOf(['feedRules']), what: `${config.feedRules} cannot be read` });
  for (const [index, { rule }] of config.feeds.entries())
    if (rule !== undefined && !rules?.some(({ name }) => name === rule))
      mistakes.push({
        file,
        line: lineOf(['feeds', index, 'rule']),
        what: `there is no rule ${rule}`,
        fix: 'name one of the file that feedRules names',
      });
  if (mistakes.length > 0) throw badConfig(mistakes);
  return rules ?? [];
};

/** Adds to `mistakes`; undefined where the file cannot be read at all. */
export const readFeedRules = (file: string, mistakes: FileMistake[]): FeedRule[] | undefined => {
  const read = readYamlFile(file, FeedsYaml);
  if (read.outcome === 'unreadable') return undefined;
  if (read.outcome === 'mistaken') {
    mistakes.push(...read.mistakes);
    return [];
  }
  const lines = readFileSync(file, 'utf8').split('\n');
  const owners = new Map<string, string>();
  return Object.entries(read.value).map(([name, rule]) => {
    const line = read.lineOf([name, 'events']);
    // The text of a block begins in the line below its key.
    const first = /:\s*[|>][-+0-9]*\s*(#.*)?$/.test(lines[line - 1] ?? '') ? line + 1 : line;
    const lineAt = (offset: number): number => first + (rule.events.slice(0, offset).match(/\n/g)?.length ?? 0);
    try {
      jsonata(rule.events);
    } catch (error) {
      const { message, position = 0 } = error as { message: string; position?: number };
      mistakes.push({ file, line: lineAt(position), what: `${name}: ${message}` });
    }
    for (const [index, type] of rule.types.entries()) {
      const owner = owners.get(type);
      if (owner !== undefined)
        mistakes.push({ file, line: read.lineOf([name, 'types', index]), what: `${type} is read by ${owner} already` });
      owners.set(type, name);
    }
    return { ...rule, name, file, lineAt };
  });
};
