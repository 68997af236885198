export * from './assertion.ts';
export * from './clock.ts';
export * from './config/load.ts';
export * from './config/yaml-file.ts';
export * from './http.ts';
export * from './logger.ts';
export type * from './service.ts';
