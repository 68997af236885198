export type * from './cursors.ts';
export * from './port.ts';
export { pageRowsMax } from './query.ts';
