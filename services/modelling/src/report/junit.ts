/** JUnit's XML, as build servers read it: a test case for each assertion, and one for each other error. */
import type { CheckReport } from '../check.ts';
import { findingText } from './text.ts';

type Case = { readonly name: string; readonly file: string; readonly line: number; readonly failure?: string };

export const toJunit = ({ config, findings, assertions }: CheckReport, shown: (file: string) => string): string => {
  const files = findings
    .filter(({ level, rule }) => level === 'error' && rule !== 'assertion/failed')
    .map(
      (finding): Case => ({
        name: finding.rule,
        file: finding.file,
        line: finding.line,
        failure: findingText(finding),
      }),
    );
  const suites = [
    suite('files', files.length > 0 ? files : [{ name: 'no mistakes found', file: config, line: 1 }], shown),
    ...(assertions.length > 0
      ? [
          suite(
            'assertions',
            assertions.map(
              ({ text, scenario, file, line, failure }): Case => ({
                name: scenario === undefined ? text : `${scenario}: ${text}`,
                file,
                line,
                ...(failure && { failure: findingText(failure) }),
              }),
            ),
            shown,
          ),
        ]
      : []),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="postern check">\n${suites.join('\n')}\n</testsuites>`;
};

const suite = (name: string, cases: readonly Case[], shown: (file: string) => string): string => {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const lines = cases.map(({ name: of, file, line, failure }) => {
    const open = `    <testcase classname="${escaped(shown(file))}" name="${escaped(of)}" file="${escaped(shown(file))}" line="${line}"`;
    if (failure === undefined) return `${open}/>`;
    const message = escaped(failure);
    return `${open}>\n      <failure message="${message}">${escaped(`${shown(file)}:${line}: `)}${message}</failure>\n    </testcase>`;
  });
  return `  <testsuite name="${name}" tests="${cases.length}" failures="${failures}">\n${lines.join('\n')}\n  </testsuite>`;
};

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** XML 1.0 has no place for control characters, not even as entities. */
const escaped = (text: string): string =>
  Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const allowed = code === 9 || code === 10 || code === 13 || (code >= 0x20 && code !== 0xfffe && code !== 0xffff);
    return allowed ? (entities[character] ?? character) : '\uFFFD';
  }).join('');
