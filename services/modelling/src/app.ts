/** The workbench for permissions as code. It opens nothing itself: the command gives it an engine and the other rooms' judgement. */
export { type CheckInput, type CheckReport, checkModel } from './check.ts';
export { type Against, readFacts } from './compare/against.ts';
export { type FoldedModel, foldLog, foldModel, type Model, type ModellingDeps } from './folded-model.ts';
export type * from './judgement.ts';
export { type Both, foldBoth } from './preview/fold-both.ts';
export { type Preview, preview } from './preview/preview.ts';
export { readUses } from './preview/read-uses.ts';
export { previewExit, previewJson, previewJunit, previewText } from './preview/report.ts';
export { previewMarkdown } from './preview/report-markdown.ts';
export type { ReadUse } from './preview/use.ts';
export { WantedYaml, wantedBy } from './preview/wanted.ts';
export { type Finding, type Level, type Rule, rules } from './report/finding.ts';
export { toJson } from './report/json.ts';
export { toJunit } from './report/junit.ts';
export { toSarif } from './report/sarif.ts';
export { findingText, toText } from './report/text.ts';
export { suggestionDiff } from './suggest/diff.ts';
export { type Suggestion, suggest } from './suggest/suggest.ts';
