/** The workbench for permissions as code. It opens nothing itself: the command gives it an engine and the other rooms' judgement. */
export { type CheckInput, type CheckReport, checkModel } from './check.ts';
export { type Against, type Recorded, readFacts } from './compare/against.ts';
export { type FoldedModel, foldLog, foldModel, type Model, type ModellingDeps } from './folded-model.ts';
export type * from './judgement.ts';
export { fromAccessLogLine, isAccessLogLine } from './preview/access-log.ts';
export { type Both, foldBoth } from './preview/fold-both.ts';
export { type Preview, preview } from './preview/preview.ts';
export { previewExit, previewJson, previewJunit, previewMarkdown, previewText } from './preview/report.ts';
export { fromJsonLine, type ReadUse, readUses } from './preview/use.ts';
export { WantedYaml, wantedBy } from './preview/wanted.ts';
export { type Finding, type Level, type Rule, rules } from './report/finding.ts';
export { toJson } from './report/json.ts';
export { toJunit } from './report/junit.ts';
export { toSarif } from './report/sarif.ts';
export { findingText, toText } from './report/text.ts';
export { suggestionDiff } from './suggest/diff.ts';
export { type Suggestion, suggest } from './suggest/suggest.ts';
