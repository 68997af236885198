export * from './verify-bundle.ts';
