export { withTexts } from '../privacy/sealed.ts';
export * from './verify-bundle.ts';
