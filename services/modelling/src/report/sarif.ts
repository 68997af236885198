/** SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
import type { CheckReport } from '../check.ts';
import { type Finding, type Rule, rules } from './finding.ts';

export const toSarif = ({ findings }: CheckReport, shown: (file: string) => string): string => {
  const used = [...new Set(findings.map(({ rule }) => rule))].sort();
  return JSON.stringify(
    {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              name: 'postern check',
              rules: used.map((rule) => ({ id: rule, shortDescription: { text: rules[rule] } })),
            },
          },
          columnKind: 'utf16CodeUnits',
          results: findings.map((finding) => toResult(finding, used, shown)),
        },
      ],
    },
    undefined,
    2,
  );
};

const toResult = (
  { rule, level, file, line, what, fix }: Finding,
  used: readonly Rule[],
  shown: (file: string) => string,
) => ({
  ruleId: rule,
  ruleIndex: used.indexOf(rule),
  level,
  message: { text: `${what}${fix === undefined ? '' : `: ${fix}`}` },
  locations: [
    {
      physicalLocation: {
        artifactLocation: { uri: shown(file).split('/').map(encodeURIComponent).join('/') },
        region: { startLine: line },
      },
    },
  ],
});
