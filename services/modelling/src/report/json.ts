/** For programs: the report as it is. */
import type { CheckReport } from '../check.ts';

export const toJson = (report: CheckReport, shown: (file: string) => string): string => {
  const { findings, assertions, config, ...rest } = report;
  return JSON.stringify(
    {
      config: shown(config),
      ok: !findings.some(({ level }) => level === 'error'),
      findings: findings.map((finding) => ({ ...finding, file: shown(finding.file) })),
      assertions: assertions.map(({ text, file, line, scenario, failure }) => ({
        text,
        file: shown(file),
        line,
        ...(scenario !== undefined && { scenario }),
        holds: failure === undefined,
        ...(failure && { why: failure.what }),
      })),
      ...rest,
    },
    undefined,
    2,
  );
};
