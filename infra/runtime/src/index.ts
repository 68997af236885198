export * from './assertion.ts';
export * from './clock.ts';
export * from './http.ts';
export * from './logger.ts';
export type * from './service.ts';
