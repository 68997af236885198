export * from './compose.ts';
export * from './giving.ts';
export * from './items.ts';
export * from './parse.ts';
export * from './schema.ts';
