export type * from './cursors.ts';
export * from './port.ts';
