export * from './compare-rows.ts';
export * from './kept-checkpoints.ts';
export * from './row.ts';
export * from './to-rows.ts';
export * from './verify-log.ts';
