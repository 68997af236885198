export * from './compose.ts';
export * from './items.ts';
export * from './parse.ts';
export * from './schema.ts';
