export type * from './port.ts';
export type * from './sealed/port.ts';
export { sealedTexts } from './sealed/texts.ts';
