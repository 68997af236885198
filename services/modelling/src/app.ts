/** The workbench for permissions as code. It opens nothing itself: the command gives it an engine and the other rooms' judgement. */
export { type FoldedModel, foldModel, type Model, type ModellingDeps } from './folded-model.ts';
export type * from './judgement.ts';
