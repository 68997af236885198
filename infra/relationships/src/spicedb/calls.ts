/** The calls of SpiceDB's API that the port needs, whoever carries them: gRPC to a server, or the engine inside a worker. */
import type { v1 } from '@authzed/authzed-node';
import { Problem } from '@postern/schemas';

export type EngineCalls = {
  readonly writeSchema: (request: v1.WriteSchemaRequest) => Promise<v1.WriteSchemaResponse>;
  readonly readSchema: (request: v1.ReadSchemaRequest) => Promise<v1.ReadSchemaResponse>;
  readonly writeRelationships: (request: v1.WriteRelationshipsRequest) => Promise<v1.WriteRelationshipsResponse>;
  readonly checkBulkPermissions: (request: v1.CheckBulkPermissionsRequest) => Promise<v1.CheckBulkPermissionsResponse>;
  readonly readRelationships: (request: v1.ReadRelationshipsRequest) => AsyncIterable<v1.ReadRelationshipsResponse>;
  readonly lookupSubjects: (request: v1.LookupSubjectsRequest) => AsyncIterable<v1.LookupSubjectsResponse>;
  readonly lookupResources: (request: v1.LookupResourcesRequest) => AsyncIterable<v1.LookupResourcesResponse>;
  readonly close: () => void | Promise<void>;
};

/**
 * A gRPC stream fails by an event, also after its reader has left; an event that nobody hears ends the process. The reader still
 * gets the failure.
 */
export const heard = <Stream extends { on(event: 'error', listener: () => void): unknown }>(stream: Stream): Stream => {
  stream.on('error', () => {});
  return stream;
};

/** gRPC's words for "your request, not my state": anything else is the engine's own trouble. */
const refusals: Readonly<Record<string, true>> = { 3: true, 9: true, InvalidArgument: true, FailedPrecondition: true };

export type EngineFailure = { readonly kind: 'refused' | 'unreachable'; readonly why: string };

/** gRPC errors carry a numeric code and `details`; the embedded library says the same in its message. */
export const engineFailure = (error: unknown): EngineFailure => {
  const { code, details, message } = error as { code?: number; details?: string; message?: string };
  const said = /^rpc error: code = (\w+) desc = ([\s\S]*)$/.exec(message ?? '');
  const kind = String(code ?? said?.[1] ?? '');
  return {
    kind: refusals[kind] === true ? 'refused' : 'unreachable',
    why: said?.[2] ?? (details || message) ?? String(error),
  };
};

export const unreachable = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem('authorizer/engine-unreachable', { detail: engineFailure(error).why, cause: error });

/** Both backends and both wordings (1.54, 1.56) say it so; the reason code travels over gRPC alone. */
export const isLostPrecondition = ({ kind, why }: EngineFailure): boolean =>
  kind === 'refused' && why.includes('unable to satisfy write precondition');

export const isUnknownDefinition = ({ kind, why }: EngineFailure): boolean =>
  kind === 'refused' && /object definition `[^`]*` not found/.test(why);
