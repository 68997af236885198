export type * from './cursors.ts';
export * from './port.ts';
export { cursorBehind, pageRowsMax } from './query.ts';
