export * from './kafka.ts';
export * from './postgres.ts';
export * from './spicedb.ts';
export type { StartedContainer } from './started-container.ts';
