/** HTTP as every room speaks it: fastify, problem documents for every failure, no surprise in between. */
import { isProblem, Problem, toProblemDocument } from '@postern/schemas';
import { attributes, spans, type Telemetry } from '@postern/telemetry';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { ZodError } from 'zod';

export type HttpOptions = {
  readonly log: Logger;
  readonly bodyBytesMax?: number;
  /** Requests go on in the trace that the gate sent them in. */
  readonly telemetry?: Telemetry;
};

export const httpApp = ({ log, bodyBytesMax = 4_194_304, telemetry }: HttpOptions): FastifyInstance => {
  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    forceCloseConnections: true,
    // HEAD is answered where GET is; a body's type must be one that is read here, or it is refused.
    exposeHeadRoutes: true,
  });
  if (telemetry?.tracing) traceRequests(app, telemetry);
  app.setNotFoundHandler((request) => {
    throw new Problem('runtime/not-found', { detail: `${request.method} ${request.url.split('?')[0]}` });
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) request.log.error({ err: error }, problem.message);
    return reply.code(problem.status).type('application/problem+json').send(toProblemDocument(problem));
  });
  return app;
};

/**
 * A span around what a route does. Opened only once the body has been read: the parser goes on in the socket's context, in which a
 * span that was opened before would be lost.
 */
const traceRequests = (app: FastifyInstance, telemetry: Telemetry): void => {
  app.addHook('preValidation', (request, reply, done) => {
    const { traceparent, tracestate } = request.headers;
    const options = {
      kind: 'server' as const,
      attributes: { [attributes.method]: request.method, [attributes.route]: request.routeOptions.url ?? '' },
      ...(typeof traceparent === 'string' && {
        parent: { traceparent, ...(typeof tracestate === 'string' && { tracestate }) },
      }),
    };
    void telemetry.span(
      spans.handle,
      options,
      () =>
        new Promise<void>((resolve) => {
          reply.raw.once('close', resolve);
          done();
        }),
    );
  });
};

/** Whatever was thrown, as a problem: ours as it is, the parser's and zod's as bad requests, the rest as internal. */
export const toProblem = (error: unknown): Problem => {
  if (isProblem(error)) return error;
  if (error instanceof ZodError) return new Problem('runtime/bad-request', { detail: describeZod(error) });
  const status = (error as { statusCode?: number }).statusCode;
  if (status !== undefined && status >= 400 && status < 500)
    return new Problem('runtime/bad-request', { detail: (error as Error).message, cause: error });
  return new Problem('runtime/internal', { cause: error });
};

/** Every issue of a zod error in one line: `path: what`. */
export const describeZod = (error: ZodError): string =>
  error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ');
