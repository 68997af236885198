/** /reports: what should not be so, or should be looked at. JSON, or CSV for `format=csv` and `Accept: text/csv`. */
import { Duration, durationMs, Problem, type SealedTexts, showTexts } from '@postern/schemas';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RouteDeps } from '../routes/deps.ts';
import { csvText } from './csv.ts';
import type { UsageRecord } from './record.ts';
import {
  breakGlassReport,
  dormantReport,
  dutiesReport,
  keysReport,
  leaversReport,
  moversReport,
  type Report,
  wideRolesReport,
} from './rows.ts';
import { type Uses, usesOf } from './use.ts';

const Query = z.looseObject({
  unusedFor: Duration.default('90d'),
  format: z.enum(['json', 'csv']).optional(),
});

export const reportNames = ['dormant', 'leavers', 'sod', 'wide-roles', 'keys', 'movers', 'break-glass'] as const;

export const reportRoutes = (
  app: FastifyInstance,
  {
    state,
    clock,
    record,
    texts,
  }: Pick<RouteDeps, 'state' | 'clock'> & { readonly record: UsageRecord; readonly texts: SealedTexts },
): void => {
  app.get<{ Params: { report: string } }>('/reports/:report', async (request, reply) => {
    const { unusedFor, format } = Query.parse(request.query);
    const name = reportNames.find((each) => each === request.params.report);
    if (name === undefined)
      throw new Problem('runtime/not-found', {
        detail: `there is no report ${request.params.report}`,
        fix: `Reports: ${reportNames.join(', ')}.`,
      });
    const report = await made(name, request, durationMs(unusedFor));
    const accepted = request.headers.accept ?? '';
    void reply.header('vary', 'accept').header('cache-control', 'no-store');
    if (format === 'csv' || (format === undefined && accepted.includes('text/csv')))
      return reply.type('text/csv; charset=utf-8').send(csvText(await showTexts(report, texts)));
    const { columns, rows } = report;
    return { report: name, sequence: state.organisation.sequence, columns, items: rows };
  });

  const made = async (
    name: (typeof reportNames)[number],
    request: FastifyRequest,
    unusedMs: number,
  ): Promise<Report> => {
    const { organisation } = state;
    // Whatever was used before the window is as good as unused, but when it was is worth knowing.
    const uses = async (since?: string): Promise<Uses> =>
      usesOf(organisation, await record.lastUses(request, since === undefined ? {} : { since }));
    switch (name) {
      case 'dormant':
        return dormantReport(organisation, await uses(), unusedMs, clock.now());
      case 'leavers':
        return leaversReport(organisation);
      case 'sod':
        return dutiesReport(organisation);
      case 'wide-roles':
        return wideRolesReport(organisation, await uses(new Date(clock.now() - unusedMs).toISOString()));
      case 'keys':
        return keysReport(organisation, await uses(), unusedMs, clock.now());
      case 'movers':
        return moversReport(organisation, unusedMs, clock.now());
      case 'break-glass':
        return breakGlassReport(organisation);
    }
  };
};
