export * from './compare-rows.ts';
export * from './kept-checkpoints.ts';
export { type PrunedText, prunedBefore, prunedFile } from './pruned.ts';
export * from './row.ts';
export * from './to-rows.ts';
export * from './verify-log.ts';
