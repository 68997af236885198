/** Which requests are readings of the record, and of what. */
import { caller } from '@postern/runtime';
import { posternMount, type ReadKind } from '@postern/schemas';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Readings } from './readings.ts';

const base = `${posternMount}/audit`;
// Checkpoints, keys and proofs say nothing of what is recorded; who watches a log asks for them all the time.
const kinds: ReadonlyMap<string, ReadKind> = new Map([
  [`${base}/facts`, 'facts'],
  [`${base}/decisions`, 'decisions'],
  [`${base}/decisions/live`, 'decisions'],
  [`${base}/pulse`, 'decisions'],
  [`${base}/as-of`, 'as-of'],
  [`${base}/questions/:question`, 'question'],
  [`${base}/last-use`, 'last-use'],
  [`${base}/export`, 'export'],
]);
const kindOf = (url: string): ReadKind | undefined =>
  kinds.get(url) ?? (/\/log\/\w+\/(tile\/\*|entry\/:index)$/.test(url) ? 'log' : undefined);

const handed = new WeakMap<FastifyRequest, number>();
/** So many rows more go out in answer to the request. */
export const handOut = (request: FastifyRequest, rows: number): void =>
  void handed.set(request, (handed.get(request) ?? 0) + rows);

/** Every reading below `app` is noted when its answer has gone out, or broke off: what was handed out by then was read. */
export const noteReadings = (app: FastifyInstance, readings: Readings): void => {
  app.addHook('preHandler', async (request) => {
    if (kindOf(request.routeOptions.url ?? '') !== undefined) readings.require();
  });
  const note = (request: FastifyRequest): void => {
    const what = kindOf(request.routeOptions.url ?? '');
    if (what === undefined) return;
    const { sub, credential } = caller(request);
    const { question } = request.params as { readonly question?: string };
    // A log is read tile by tile: one reading, however many tiles it has.
    const query = what === 'log' ? { path: request.routeOptions.url?.slice(base.length + 1) ?? '' } : request.query;
    readings.note({
      what,
      query: { ...(query as Readonly<Record<string, string>>), ...(question !== undefined && { question }) },
      rows: handed.get(request) ?? (what === 'log' ? 1 : 0),
      reader: { authtype: credential === undefined ? 'user' : 'api_key', authid: sub },
      credential,
    });
  };
  app.addHook('onResponse', async (request, reply) => {
    if (reply.statusCode < 300) note(request);
  });
  app.addHook('onRequestAbort', async (request) => {
    if ((handed.get(request) ?? 0) > 0) note(request);
  });
};
