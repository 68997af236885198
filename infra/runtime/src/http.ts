/** HTTP as every room speaks it: fastify, problem documents for every failure, no surprise in between. */
import { isProblem, Problem, toProblemDocument } from '@postern/schemas';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { ZodError } from 'zod';

export type HttpOptions = { readonly log: Logger; readonly bodyBytesMax?: number };

export const httpApp = ({ log, bodyBytesMax = 4_194_304 }: HttpOptions): FastifyInstance => {
  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    forceCloseConnections: true,
    // HEAD is answered where GET is; a body's type must be one that is read here, or it is refused.
    exposeHeadRoutes: true,
  });
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
