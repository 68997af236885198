export * from './continuing.ts';
export * from './names.ts';
export { noTelemetry } from './no-op.ts';
export type * from './port.ts';
